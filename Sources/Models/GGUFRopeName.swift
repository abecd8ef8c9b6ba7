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

  /// YaRN's parameters, with their names in a config; nil if a config lacks the parameter.
  package static let yarn: [(config: String?, gguf: String)] = [
    ("extrapolation_factor", "rope.scaling.yarn_ext_factor"),
    ("attention_factor", "rope.scaling.yarn_attn_factor"),
    ("beta_fast", "rope.scaling.yarn_beta_fast"), ("beta_slow", "rope.scaling.yarn_beta_slow"),
    (nil, "rope.scaling.yarn_log_multiplier"),
  ]
}
