import Formats

/// MiniCPM-V and MiniCPM-o up to 4.5: vision and audio around a plain language model, whose config
/// has the members of all parts side by side.
///
/// Source: `MiniCPMV` of vLLM and SGLang. The models bring code of their own for transformers, with
/// transformers' class for the language model.
extension Architecture {
  private static let multimodalTypes: Set<String> = ["minicpmv", "minicpmo"]

  /// The language model of a MiniCPM-V, or nil for a config of another kind.
  /// - Throws: `ModelError` for a version that has another kind of language model.
  static func miniCPMV(_ config: JSONValue, _ path: String) throws(ModelError) -> Architecture? {
    guard let type = config["model_type"]?.text, multimodalTypes.contains(type) else { return nil }
    var it: Architecture
    let version = try version(config, path)
    switch Double(version) {
    case 2.0?: it = miniCPM
    case 2.5?, 4.0?: it = llama
    case 2.6?: it = qwen2
    case 4.5?: it = qwen3
    default:
      throw .unsupported(
        path,
        "the language model of \(type) \(version.sanitized) is not known, expected version 2.0, 2.5, 2.6, 4.0 or 4.5"
      )
    }
    it.isPartOfFlatConfig = true
    it.unsupported[.mlx] = lacksIt
    it.factorSupport = [:]
    return it
  }

  /// The version, which the first models do not contain.
  private static func version(_ config: JSONValue, _ path: String) throws(ModelError) -> String {
    switch config["version"] {
    case .string(let text)?: return text
    case .number(let text)?: return text
    case nil, .null?:
      return config["hidden_size"]?.integer == 2304 && config["query_num"]?.integer == 64
        ? "2.0" : "2.5"
    case let other?:
      throw .unsupported(path, "'version' is \(other.kind), expected a number such as 4.0")
    }
  }
}
