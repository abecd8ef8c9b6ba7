import Formats

extension ModelFile {
  /// Refuses a model with a feature that is not supported.
  /// - Throws: `ModelError` that names the feature.
  package func refuseUnsupportedFeatures() throws(ModelError) {
    if case .folder(let folder) = self, let reason = architecture.configCheck(folder.textConfig) {
      throw .unsupported("\(path)/\(ModelFolder.configName)", reason)
    }
    for feature in Architecture.UnsupportedFeature.common + architecture.unsupportedFeatures {
      let found: String? =
        switch self {
        case .folder(let model):
          feature.config.flatMap { feature.values.includes(model.textConfig[$0]) ? $0 : nil }
        case .gguf(let model):
          feature.gguf.map { "\(model.geometry.architecture).\($0)" }.flatMap {
            feature.values.includes(model.first.header[key: $0]) ? $0 : nil
          }
        }
      guard let found else { continue }
      throw .unsupported(path, "'\(found)': \(feature.name) is not supported")
    }
  }
}

extension Architecture.UnsupportedFeature {
  /// Features that every architecture may have.
  static let common = [
    Self(
      config: "is_causal", gguf: "attention.causal", values: .isFalse,
      name: "attention to later tokens"),
    Self(
      gguf: "nextn_predict_layers", values: .isNotZero, name: "layers that predict further tokens"),
  ]
  /// Experts in an architecture of dense layers, and a number of them without any.
  static let usedExperts = Self(
    gguf: "expert_used_count", values: .isNotZero, name: "a mixture of experts")
  /// Experts in an architecture of dense layers.
  static let experts = Self(gguf: "expert_count", values: .isNotZero, name: "a mixture of experts")
}

extension Architecture.UnsupportedFeature.Values {
  func includes(_ value: JSONValue?) -> Bool {
    guard let value, !value.isNull else { return false }
    return switch self {
    case .isTrue: value.flag != false
    case .isFalse: value.flag != true
    case .isNotZero: value.double != 0
    case .isNotOne: value.double != 1
    }
  }

  func includes(_ value: GGUFValue?) -> Bool {
    guard let value else { return false }
    let number: Double? = if case .bool(let flag) = value { flag ? 1 : 0 } else { value.number }
    return switch self {
    case .isTrue, .isNotZero: number != 0
    case .isFalse, .isNotOne: number != 1
    }
  }
}
