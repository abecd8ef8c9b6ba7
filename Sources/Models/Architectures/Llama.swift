extension Architecture {
  /// Llama 1 to 3.3: RMS norms, separate projections, a SiLU-gated feed-forward.
  package static let llama = {
    var it = Architecture(
      modelType: "llama", className: "LlamaForCausalLM",
      gguf: GGUF(
        name: "llama", factorTensors: .forLongRoPE, isInterleaved: true, writesHeadSize: true))
    it.decoder = DecoderLayer()
    it.hyperparameters =
      Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.headSizes
    it.hasFeedForwardBiases = true
    it.biases = .ofAttention(gguf: Biases.projections)
    it.unsupportedFeatures = [.experts, .usedExperts]
    it.factorSupport = .ofLlamaLike.and([
      .mistralRS: .unknownVariant,
      .ortGenAI: .ignores,
    ])
    return it
  }()
}
