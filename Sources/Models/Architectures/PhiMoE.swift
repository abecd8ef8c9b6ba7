extension Architecture {
  /// Phi-3.5-MoE and its small relatives.
  ///
  /// They have layer norms and biases, and SparseMixer chooses two experts for each token.
  /// llama.cpp uses RMS norms instead of layer norms, and a softmax over all experts instead of
  /// SparseMixer.
  static let phiMoE = {
    var it = Architecture(
      modelType: "phimoe", className: "PhimoeForCausalLM",

      gguf: GGUF(
        name: "phimoe", factorTensors: .always, requiresOriginalWindow: true, requiresOutput: true,
        fixesHeadSize: true))
    it.rope.defaultTheta = 1_000_000
    it.slidingWindow = .always(missing: nil)
    it.requiresMscales = true
    it.transformers = TransformersTraits(
      requiresRopeType: true, usesShortFactorsOnly: true, recomputesKeys: true)
    it.mlx = MLXTraits(
      longRoPE: .always, readsOriginalWindowAtTop: true, defaultOriginalWindow: 4096,
      tiesByDefault: nil)
    var decoder = DecoderLayer()
    decoder.norm = .layer
    decoder.feedForward = .experts
    decoder.deviations = [.llamaCpp: [.rmsNorms, .softmaxRouting], .mlx: [.noWindow]]
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + [.rotaryDimensions, .slidingWindow] + Hyperparameter.headSizes + [
        .init(.experts, config: "num_local_experts", gguf: "expert_count"),
        .init(.expertsPerToken, config: "num_experts_per_tok", gguf: "expert_used_count"),
        .init(.routerJitter, config: "router_jitter_noise", .number, absent: .value(0.01)),
      ]
    it.biases = .ofAttention(gguf: Biases.projections)
    it.biases.outputMember = "lm_head_bias"
    it.biases.required = [.attentionOutput]
    it.biases.ofNorms = true
    it.biases.ofOutput = true
    it.biases.requiresOutput = true
    it.uncomputed = [.mistralRS: "it routes tokens to other experts"]
    it.factorSupport = [
      .ikLlamaCpp: .refuses("unknown model architecture: 'phimoe'"),
      .lmdeploy: .computes, .openVINO: .computes, .mistralRS: .computes,
      .ortGenAI: .unsupportedStyle,
    ]
    return it
  }()
}
