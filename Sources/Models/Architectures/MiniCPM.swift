extension Architecture {
  /// MiniCPM 1, 2 and 4 (dense): Llama with scaled embeddings, residuals and logits.
  ///
  /// A config has the numbers from which the scales are computed; a GGUF file has the scales.
  static let miniCPM = {
    var it = Architecture(
      modelType: "minicpm", className: "MiniCPMForCausalLM",
      gguf: GGUF(name: "minicpm", factorTensors: .forLongRoPE, isInterleaved: true))
    it.transformers.isRemoteCode = true
    it.mlx.theta = .optional(1_000_000)
    it.unsupported = [.transformers4: remoteCodeOnly, .transformers5: remoteCodeOnly]
    var decoder = DecoderLayer()
    decoder.multipliers = .byDepth
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + Hyperparameter.headSizes + Hyperparameter.depthScaling + [
        .init(
          .embeddingMultiplier, gguf: "embedding_scale", .number,

          absent: .value(DecoderLayer.publishedDepthScaling.embedding), ggufZero: .value(1)),
        .init(
          .residualMultiplier, gguf: "residual_scale", .number,
          absent: .computed(Hyperparameter.residualScale), ggufZero: .value(1)),
        .init(
          .logitDivisor, gguf: "logit_scale", .number,
          absent: .computed(Hyperparameter.logitDivisor)),
      ]
    it.biases = .ofAttention(gguf: Biases.projections)
    it.tiesByDefault = true
    it.mlx.tiesByDefault = false
    it.unsupportedFeatures = [.experts, .usedExperts]
    return it
  }()
}

extension Hyperparameter {
  /// The multiplier of residuals in the published model.
  static let residualScale: @Sendable (Hyperparameters) throws(ModelError) -> Double = {
    given throws(ModelError) in
    DecoderLayer.publishedDepthScaling.depth / Double(try given.count(.layers)).squareRoot()
  }

  /// What llama.cpp divides logits by if the file does not say.
  ///
  /// It is the inverse of what the published model divides by, and of what converters write.
  static let logitDivisor: @Sendable (Hyperparameters) throws(ModelError) -> Double = {
    given throws(ModelError) in
    DecoderLayer.publishedDepthScaling.base / Double(try given.count(.hidden))
  }

  /// MiniCPM's own members, from which the multipliers are derived.
  static let depthScaling: [Hyperparameter] = [
    .init(.embeddingScale, config: "scale_emb", .number),
    .init(.depthScale, config: "scale_depth", .number),
    .init(.baseWidth, config: "dim_model_base", .number),
  ]
}
