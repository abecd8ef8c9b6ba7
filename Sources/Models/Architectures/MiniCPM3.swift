extension Architecture {
  /// MiniCPM3: multi-head latent attention, rotated in the last part of each head, with MiniCPM's
  /// scaling.
  ///
  /// The norms of the latents have an epsilon of their own in each runtime: the published code and
  /// transformers take 1e-6, MLX-LM 1e-5, llama.cpp the model's. llama.cpp knows the scaling of the
  /// published model only.
  static let miniCPM3 = {
    var it = Architecture(
      modelType: "minicpm3", className: "MiniCPM3ForCausalLM",
      gguf: GGUF(name: "minicpm3", factorTensors: .always))
    it.rope.dimensions = .latent
    it.mlx = MLXTraits(
      theta: .optional(1_000_000), longRoPE: .always, requiresScaling: true,
      defaultOriginalWindow: 4096, tiesByDefault: false)
    it.tiesByDefault = true
    it.biases = Biases(
      attentionMember: "attention_bias", switched: [.queryDown, .keyValueDown, .attentionOutput])
    it.unsupported = [.transformers4: remoteCodeOnly]
    var decoder = DecoderLayer()
    decoder.attention = .latent
    decoder.multipliers = .byDepthPublished
    decoder.deviations = [
      .mlx: [.latentEpsilon(1e-5), .unscaledTiedLogits],
      .llamaCpp: [.latentEpsilon(nil), .publishedMultipliers],
    ]
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common.map { row in
        // The class has 40 by default.
        row.quantity == .keyValueHeads
          ? Hyperparameter(
            .keyValueHeads, config: row.config, gguf: row.gguf, absent: .value(40),
            gguf: Hyperparameter.Absence.none) : row
      } + [.vocabulary, .rotaryDimensions] + [
        .init(.queryRank, config: "q_lora_rank", gguf: "attention.q_lora_rank"),
        .init(.keyValueRank, config: "kv_lora_rank", gguf: "attention.kv_lora_rank"),
        .init(.headDimension, gguf: "attention.key_length"),
        .init(
          .valueDimension, config: "v_head_dim", gguf: "attention.value_length", absent: .none),
        .init(.unrotatedDimension, config: "qk_nope_head_dim"),
      ] + Hyperparameter.depthScaling
    it.factorSupport = [.ikLlamaCpp: .refuses("unknown model architecture: 'minicpm3'")]
    return it
  }()
}
