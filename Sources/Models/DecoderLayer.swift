/// The decoder layer of an architecture, described by how it differs from Llama's: an RMSNorm
/// before attention and before the feed-forward, separate projections, and a SiLU-gated
/// feed-forward.
public struct DecoderLayer: Sendable {
  /// RMSNorm or LayerNorm.
  public enum Norm: Sendable { case rms, layer }

  /// Where the two norms of a layer are applied.
  public enum NormPlacement: Sendable {
    /// To the inputs of attention and of the feed-forward.
    case before
    /// To the outputs of both, before the residual is added.
    case after
  }

  /// Norms of queries and keys before they are rotated.
  public enum HeadNorms: Sendable {
    /// No norms.
    case none
    /// One norm over each head.
    case perHead
    /// One norm over all heads together.
    case whole
  }

  /// How queries, keys and values are projected.
  public enum Attention: Sendable {
    /// By three projections.
    case separate
    /// By one projection: the rows of q, then those of k, then those of v.
    case fused
    /// By one projection: for each key head, the rows of its queries, its key and its value.
    case grouped
    /// By low-rank projections: multi-head latent attention.
    case latent
  }

  /// The formula of the feed-forward.
  public enum FeedForward: Sendable {
    /// down(silu(gate) * up)
    case gated
    /// The same as `gated`, with the rows of gate and up in one matrix.
    case fusedGateUp
    /// down(gelu(even) * (odd + 1)), with the even and odd outputs of one projection, both clipped.
    case gegelu
    /// A mixture of gated feed-forwards. Each token uses a few of them.
    case experts
  }

  /// Which layers have rotary embeddings.
  public enum RotaryLayers: Sendable {
    /// All layers.
    case all
    /// The layers with a 1 in `no_rope_layers`. Without that list, all but every `interval`th layer
    /// (`no_rope_layer_interval`).
    case listed(interval: Int)
  }

  /// Multipliers on embeddings, attention, residuals and logits.
  public enum Multipliers: Sendable {
    /// No multipliers.
    case none
    /// Stored in the model, in both formats.
    case stored
    /// Derived from `scale_emb`, `scale_depth` and `dim_model_base`. A GGUF file stores the
    /// results.
    case byDepth
    /// Derived as in `byDepth`, but a GGUF file stores none: llama.cpp uses those of the published
    /// model.
    case byDepthPublished
    /// Those of muP, from folders only.
    case muP
  }

  /// How a runtime departs from the model's description.
  public enum Deviation: Equatable, Sendable {
    /// RMSNorm instead of LayerNorm.
    case rmsNorms
    /// A softmax over all experts instead of the published routing.
    case softmaxRouting
    /// Another epsilon in the norms of the latents; nil for the epsilon of the model.
    case latentEpsilon(Float?)
    /// The multipliers of the published model.
    case publishedMultipliers
    /// Logits of tied embeddings without their multiplier.
    case unscaledTiedLogits
    /// Attention to all earlier tokens, whatever the sliding window.
    case noWindow
    /// The embeddings as the output matrix, although the model has one of its own.
    case tiedOutput
  }

  /// RMSNorm or LayerNorm.
  public var norm = Norm.rms
  /// Where the two norms are applied.
  public var normPlacement = NormPlacement.before
  /// Norms of queries and keys.
  public var headNorms = HeadNorms.none
  /// How queries, keys and values are projected.
  public var attention = Attention.separate
  /// The formula of the feed-forward.
  public var feedForward = FeedForward.gated
  /// Which layers have rotary embeddings.
  public var rotaryLayers = RotaryLayers.all
  /// Whether rotated queries are multiplied by a factor that grows with their position.
  public var hasTemperature = false
  /// Multipliers on embeddings, attention, residuals and logits.
  public var multipliers = Multipliers.none
  /// Whether `hidden_act` must be SiLU.
  public var requiresSiLU = true
  /// Whether a GGUF file has gate and up in two tensors although a folder has them in one.
  public var splitsGateUpInGGUF = false
  /// Whether a model without an output matrix is refused unless its config ties that matrix to the
  /// embeddings.
  public var requiresUntiedOutput = true
  /// Whether GGUF files can be run.
  public var runsFromGGUF = true
  /// How each runtime departs from this description.
  public var deviations: [Runtime: [Deviation]] = [:]

  /// The `scale_emb`, `scale_depth` and `dim_model_base` of the published MiniCPM3-4B.
  public static let publishedDepthScaling = (embedding: 12.0, depth: 1.4, base: 256.0)

  /// Llama's layer.
  public init() {}

  /// The tensors of each layer, in the order in which a converter writes them.
  public var layerRoles: [LayerRole] {
    let norms: [LayerRole] =
      switch headNorms {
      case .none: []
      case .perHead, .whole: [.queryNorm, .keyNorm]
      }
    switch normPlacement {
    case .before:
      return [.attentionNorm] + attentionRoles + norms + [.feedForwardNorm] + feedForwardRoles
    case .after:
      return attentionRoles + norms + [.postAttentionNorm] + feedForwardRoles
        + [.postFeedForwardNorm]
    }
  }

  private var attentionRoles: [LayerRole] {
    switch attention {
    case .separate: [.query, .key, .value, .attentionOutput]
    case .fused: [.fusedQKV, .attentionOutput]
    case .grouped: [.groupedQKV, .attentionOutput]
    case .latent:
      [
        .queryDown, .queryDownNorm, .queryUp, .keyValueDown, .keyValueDownNorm, .keyValueUp,
        .attentionOutput,
      ]
    }
  }

  private var feedForwardRoles: [LayerRole] {
    switch feedForward {
    case .gated: [.gate, .up, .down]
    case .fusedGateUp: [.fusedGateUp, .down]
    case .gegelu: [.interleavedUp, .down]
    case .experts: [.router, .expertGates, .expertDowns, .expertUps]
    }
  }
}
