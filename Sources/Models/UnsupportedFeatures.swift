import Formats

extension ModelFile {
  /// Refuses a model with a feature that is not supported.
  /// - Throws: `ModelError` that names the feature.
  package func refuseUnsupportedFeatures() throws(ModelError) {
    for feature in architecture.unsupportedFeatures {
      let found: String? =
        switch self {
        case .folder(let model):
          feature.config.flatMap { model.textConfig[$0]?.flag == true ? $0 : nil }
        case .gguf(let model):
          feature.gguf.map { "\(model.geometry.architecture).\($0)" }.flatMap {
            model.first.header[key: $0] != nil ? $0 : nil
          }
        }
      guard let found else { continue }
      throw .unsupported(path, "'\(found)': \(feature.name) is not supported")
    }
  }
}
