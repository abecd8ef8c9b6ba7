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
    var decoder = DecoderLayer()
    decoder.multipliers = .stored
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.multipliers + [
        .configHeadDimension
      ]
    it.biasMembers.attention = "attention_bias"
    return it
  }()
}

extension Hyperparameter {
  /// Granite's four multipliers, under names that both formats have.
  package static let multipliers: [Hyperparameter] = [
    .init(
      .attentionMultiplier, config: "attention_multiplier", gguf: "attention.scale", .number,
      absent: .none),
    .init(
      .embeddingMultiplier, config: "embedding_multiplier", gguf: "embedding_scale", .number,
      absent: .none),
    .init(
      .residualMultiplier, config: "residual_multiplier", gguf: "residual_scale", .number,
      absent: .none),
    .init(
      .logitDivisor, config: "logits_scaling", gguf: "logit_scale", .number, absent: .none),
  ]
}
