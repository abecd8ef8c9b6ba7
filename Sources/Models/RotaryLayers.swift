import Formats

extension ModelFile {
  /// Whether each layer has a rotary embedding, for architectures in which some layers have none.
  /// - Parameters:
  ///   - count: the number of layers.
  ///   - interval: every `interval`th layer has no rotary embedding, unless the config says
  ///     otherwise.
  /// - Throws: `ModelError` if the list has another length, or values other than 0 and 1.
  package func rotaryLayers(count: Int, interval: Int) throws(ModelError) -> [Bool] {
    if let list = config["no_rope_layers"], !list.isNull {
      let values = list.elements?.compactMap(\.integer) ?? []
      guard values.count == count, values.allSatisfy({ $0 == 0 || $0 == 1 }) else {
        throw .unsupported(path, "'no_rope_layers' is not a list of \(count) numbers, each 0 or 1")
      }
      return values.map { $0 == 1 }
    }
    var every = interval
    if let value = config["no_rope_layer_interval"], !value.isNull {
      every = try WholeNumber.read(
        value.double, found: value.shortText, "no_rope_layer_interval", path)
    }
    return (0..<count).map { ($0 + 1) % every != 0 }
  }
}
