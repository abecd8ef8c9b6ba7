package import Formats
import Glibc

/// A factor on rotated queries that grows with their position, so that attention stays sharp in
/// long inputs.
///
/// Source: `get_llama_4_attn_scale` of transformers' Ministral 3, and `f_attn_temp_scale` of
/// llama.cpp.
package struct QueryTemperature: Equatable, Sendable {
  /// How fast it grows: `llama_4_scaling_beta`.
  package var scale: Double
  /// The number of first positions without it: the window before any extension.
  package var window: Int

  /// The member of the RoPE parameters that holds the scale.
  package static let member = "llama_4_scaling_beta"
  /// The GGUF key that holds the scale, without the prefix; 0 turns the temperature off.
  package static let key = "attention.temperature_scale"

  /// Types of scaling for which transformers fills in the original window.
  private static let typesWithWindow: Set<String> = ["yarn", "llama3", "longrope", "su"]

  /// The member that transformers needs for the temperature and does not find, or nil.
  package static func missingMember(in config: JSONValue, _ scaling: JSONValue?) -> String? {
    if scaling?[member]?.double == nil { return member }
    let window = "original_max_position_embeddings"
    let type = scaling?["rope_type"]?.text ?? scaling?["type"]?.text ?? "default"
    let isGiven = scaling?[window]?.integer != nil || config[window]?.integer != nil
    return isGiven || typesWithWindow.contains(type) ? nil : window
  }

  /// 1 + scale * ln(1 + floor(position / window)).
  package func factor(at position: Int) -> Float {
    Float(1 + scale * log(1 + Double(position / window)))
  }
}

extension ModelFile {
  /// The temperature of the queries, or nil for an architecture or a file without one.
  /// - Throws: `ModelError` for a config that lacks the scale, or for one that is not a number.
  package func queryTemperature() throws(ModelError) -> QueryTemperature? {
    guard architecture.decoder?.hasTemperature == true else { return nil }
    let scale: Double?
    switch self {
    case .folder(let folder):
      scale = folder.scaling?[QueryTemperature.member]?.double
      if let missing = QueryTemperature.missingMember(in: folder.textConfig, folder.scaling) {
        throw .unsupported(
          path,
          "'\(missing)' of the RoPE parameters is missing or not a number; transformers fails without it"
        )
      }
    case .gguf(let file):
      scale = file.first.header[key: "\(geometry.architecture).\(QueryTemperature.key)"]?.number
    }
    guard let scale, scale != 0 else { return nil }
    guard Float(scale).isFinite else {
      throw .unsupported(
        path, "the temperature of the queries is \(scale), expected a number of single precision")
    }
    return QueryTemperature(scale: scale, window: geometry.originalWindow)
  }
}
