extension Architecture {
  /// Phi-3-small, whose attention sees only some blocks of keys in all but every n-th layer.
  ///
  /// It has one projection with a group of rows for each key head, layer norms, a clipped gated
  /// GELU, and muP's multipliers.
  static let phi3Small = {
    var it = Architecture(modelType: "phi3small")
    it.rope.thetaKey = "rope_embedding_base"
    it.rope.defaultTheta = 1_000_000
    it.requiresMscales = true
    it.transformers.isRemoteCode = true
    it.unsupported = [
      .transformers4: remoteCodeOnly, .transformers5: remoteCodeOnly,
      .vllm: "it dropped the family", .sglang: lacksIt,
      .mlx: "its phi3small ignores rope_scaling",
    ]
    var decoder = DecoderLayer()
    decoder.norm = .layer
    decoder.attention = .grouped
    decoder.feedForward = .gegelu
    decoder.multipliers = .muP
    decoder.requiresSiLU = false
    decoder.requiresUntiedOutput = false
    it.decoder = decoder
    it.tiesByDefault = true
    it.biases = Biases(
      always: [.groupedQKV, .attentionOutput, .interleavedUp, .down], ofNorms: true)
    it.hyperparameters = [
      .init(.layers, config: "num_hidden_layers"),
      .init(.hidden, config: "hidden_size"),
      .init(.feedForward, config: "ff_intermediate_size"),
      .init(.heads, config: "num_attention_heads"),
      .init(.keyValueHeads, config: "num_key_value_heads", absent: .none),
      .init(.epsilon, config: "layer_norm_epsilon", .number),
      .configHeadDimension,
      .init(.sparseBlockSize, config: "blocksparse_block_size"),
      .init(.sparseLocalBlocks, config: "blocksparse_num_local_blocks"),
      .init(.sparseStride, config: "blocksparse_vert_stride"),
      .init(.denseEvery, config: "dense_attention_every_n_layers", absent: .value(2)),
      .init(.geluLimit, config: "gegelu_limit", .number, absent: .value(20)),
      .init(
        .embeddingMultiplier, config: "mup_embedding_multiplier", .number, absent: .value(10)),
      .init(.logitDivisor, config: "mup_width_multiplier", .number, absent: .value(8)),
      .init(.attentionMultiplier, config: "mup_attn_multiplier", .number, absent: .value(1)),
    ]
    it.unsupportedFeatures = [
      UnsupportedFeature(
        config: "blocksparse_homo_head_pattern", name: "one block-sparse pattern for all heads"),
      UnsupportedFeature(
        config: "rope_position_scale", values: .isNotOne, name: "a scale on positions"),
    ]
    it.layerNames = [.attentionOutput: TensorNames("self_attn.dense", "")]
    it.finalNormName = "model.final_layernorm"
    return it
  }()
}

extension Hyperparameter.Quantity {
  /// Positions in a block of block-sparse attention.
  public static let sparseBlockSize = Self("sparseBlockSize")
  /// Nearest blocks of keys that each query sees.
  public static let sparseLocalBlocks = Self("sparseLocalBlocks")
  /// The stride n of the more distant blocks, of which each query sees every n-th.
  public static let sparseStride = Self("sparseStride")
  /// Every n-th layer attends to everything.
  public static let denseEvery = Self("denseEvery")
  /// The magnitude at which the gated GELU clips its inputs.
  public static let geluLimit = Self("geluLimit")
}
