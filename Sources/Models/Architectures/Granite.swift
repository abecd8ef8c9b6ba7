extension Architecture {
  /// Granite 3 (dense): Llama with multipliers of its own on embeddings, attention, residuals and
  /// logits.
  package static let granite = {
    var it = Architecture(
      modelType: "granite", className: "GraniteForCausalLM",
      gguf: GGUF(
        name: "granite", factorTensors: .forLongRoPE, isInterleaved: true, obeysFinetuned: true))
    it.transformers.requiresRopeType = true
    it.mlx.theta = .required
    it.mlx.requiredMembers = [
      "logits_scaling", "attention_multiplier", "embedding_multiplier", "residual_multiplier",
      "attention_bias", "mlp_bias",
    ]
    var decoder = DecoderLayer()
    decoder.multipliers = .stored
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.headSizes
      + Hyperparameter.multipliers
    it.hasFeedForwardBiases = true
    it.biases = .ofAttention(gguf: Biases.projections)
    it.unsupportedFeatures = [
      .experts, .usedExperts,
      UnsupportedFeature(
        gguf: GGUFRopeName.finetuned, values: .isFalse, name: "a model without rotary embedding"),
    ]
    it.factorSupport = [
      .openVINO: .computes,
      .ortGenAI: .unsupportedStyle,
    ]
    return it
  }()
}

extension Hyperparameter {
  /// 1 / sqrt(head dimension), which llama.cpp takes if the file has no scale.
  private static let headScale: @Sendable (Hyperparameters) throws(ModelError) -> Double = {
    given throws(ModelError) in
    1 / Double(try given.headSize()).squareRoot()
  }

  /// Granite's four multipliers, under names that both formats have.
  package static let multipliers: [Hyperparameter] = [
    .init(
      .attentionMultiplier, config: "attention_multiplier", gguf: "attention.scale", .number,
      absent: .value(1), gguf: .computed(headScale), ggufZero: .computed(headScale)),
    .init(
      .embeddingMultiplier, config: "embedding_multiplier", gguf: "embedding_scale", .number,
      absent: .value(1), ggufZero: .value(1)),
    .init(
      .residualMultiplier, config: "residual_multiplier", gguf: "residual_scale", .number,
      absent: .value(1), ggufZero: .value(1)),
    .init(
      .logitDivisor, config: "logits_scaling", gguf: "logit_scale", .number, absent: .value(1),
      gguf: .required),
  ]
}
