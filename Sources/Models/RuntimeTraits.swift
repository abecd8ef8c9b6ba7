/// How transformers reads the configs of an architecture, described by the differences from Llama.
public struct TransformersTraits: Sendable {
  /// No differences from Llama.
  package static let none = TransformersTraits()

  /// Whether only the model's own remote code implements its LongRoPE.
  public var isRemoteCode = false
  /// Whether the types `su` and `yarn` mean LongRoPE.
  public var takesLegacyTypes = false
  /// Whether transformers 4 refuses a `rope_scaling` with keys other than `type`, `short_factor`
  /// and `long_factor`.
  public var takesThreeKeysOnly = false
  /// Whether transformers 4 refuses a `rope_scaling` with keys other than `type` and `factor`.
  public var takesTypeAndFactorOnly = false
  /// Whether transformers 4 refuses a `rope_scaling` without `rope_type`.
  public var requiresRopeType = false
  /// Whether transformers 4 requires `head_dim` in the config, because the config class sets it to
  /// null.
  public var requiresHeadDimension = false
  /// Whether transformers 5 uses the short factors at every length.
  public var usesShortFactorsOnly = false
  /// Whether cached keys are recomputed when the choice between long and short factors changes.
  public var recomputesKeys = false
  /// The original window if the config does not contain one.
  public var defaultOriginalWindow: Int?
}

/// How MLX-LM reads the configs of an architecture, described by the differences from Llama.
public struct MLXTraits: Sendable {
  /// Where MLX-LM finds the RoPE base.
  public enum Theta: Sendable {
    /// At the top level; the associated value is the default.
    case optional(Double)
    /// At the top level, without a default.
    case required
    /// At the top level or in `rope_parameters`, without a default.
    case requiredAnywhere
  }

  /// When MLX-LM applies LongRoPE.
  public enum LongRoPE: Sendable {
    /// If the type of the scaling says so.
    case byType
    /// If the scaling has factors and its type is `longrope` or `su`. Both are required.
    case byFactors
    /// Whenever there is a scaling.
    case always
  }

  /// Where MLX-LM finds the RoPE base.
  public var theta = Theta.optional(10_000)
  /// When MLX-LM applies LongRoPE.
  public var longRoPE = LongRoPE.byType
  /// Whether it falls back on `rope_parameters` if `rope_scaling` is missing.
  public var readsRopeParameters = false
  /// Whether its class supports a partial rotary embedding.
  public var rotatesPartially = false
  /// Members of the config without which it cannot load a model.
  public var requiredMembers: [String] = []
  /// Whether it cannot load a config without a scaling.
  public var requiresScaling = false
  /// Whether it reads the original window at the top level rather than in the scaling.
  public var readsOriginalWindowAtTop = false
  /// The original window if the config does not contain one.
  public var defaultOriginalWindow: Int?
  /// Whether a config without `tie_word_embeddings` ties the output matrix to the embeddings; nil
  /// if the class has no such member, and never ties it.
  public var tiesByDefault: Bool? = true
}
