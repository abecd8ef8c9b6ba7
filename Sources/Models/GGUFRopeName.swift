import Formats

/// The keys that describe the rotary embedding of a GGUF file, without the architecture's prefix.
package enum GGUFRopeName {
  package static let window = "context_length"
  package static let base = "rope.freq_base"
  package static let dimensions = "rope.dimension_count"
  package static let type = "rope.scaling.type"
  package static let factor = "rope.scaling.factor"
  /// The key that older files have instead of `factor`.
  package static let legacyFactor = "rope.scale_linear"
  package static let originalWindow = "rope.scaling.original_context_length"
  /// mscale, for all lengths.
  package static let attentionFactor = "rope.scaling.attn_factor"
  package static let finetuned = "rope.scaling.finetuned"
  /// The ends of YaRN's ramp, and c in the divisor 0.1 c ln s + 1 of its attention scale.
  package static let betaFast = "rope.scaling.yarn_beta_fast"
  package static let betaSlow = "rope.scaling.yarn_beta_slow"
  package static let logMultiplier = "rope.scaling.yarn_log_multiplier"

  /// The types that llama.cpp's loader accepts.
  static let types: [String: GGUFValueType] = [
    window: .uint32, base: .float32, dimensions: .uint32, type: .string, factor: .float32,
    legacyFactor: .float32, originalWindow: .uint32, attentionFactor: .float32, finetuned: .bool,
  ]

  /// A parameter of YaRN.
  package struct YarnParameter: Sendable {
    /// The name in a config, or nil if a config lacks the parameter.
    package var config: String?
    package var gguf: String
    /// The value that an absent key means.
    package var defaultValue: Double
    /// Whether the architectures that read the ends of the ramp read the key.
    package var isReadWithTurns = false
  }

  /// YaRN's parameters, most of which llama.cpp reads for a few architectures only.
  package static let yarn = [
    YarnParameter(
      config: "extrapolation_factor", gguf: "rope.scaling.yarn_ext_factor", defaultValue: 1),
    YarnParameter(
      config: "attention_factor", gguf: "rope.scaling.yarn_attn_factor", defaultValue: 1),
    YarnParameter(
      config: "beta_fast", gguf: betaFast,
      defaultValue: YaRN.publishedTurns.fast, isReadWithTurns: true),
    YarnParameter(
      config: "beta_slow", gguf: betaSlow,
      defaultValue: YaRN.publishedTurns.slow, isReadWithTurns: true),
    YarnParameter(
      config: nil, gguf: logMultiplier, defaultValue: 0,
      isReadWithTurns: true),
  ]
}
