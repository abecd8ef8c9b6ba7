extension Architecture {
  /// Qwen 3 (dense): Qwen 2 without biases, with norms over the heads of queries and keys.
  static let qwen3 = {
    var it = Architecture(
      modelType: "qwen3", className: "Qwen3ForCausalLM", gguf: GGUF(name: "qwen3"))
    it.slidingWindow = .switched
    it.mlx = MLXTraits(theta: .requiredAnywhere, readsRopeParameters: true)
    it.mlx.requiredMembers = ["tie_word_embeddings"]
    var decoder = DecoderLayer()
    decoder.headNorms = .perHead
    decoder.deviations = [.mlx: [.noWindow]]
    it.biases = .ofAttention(gguf: Biases.inputs)
    it.unsupportedFeatures = [.experts, .usedExperts]
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + Hyperparameter.headSizes + Hyperparameter.switchedWindow
    it.factorSupport = .ofLlamaLike.and([.mistralRS: .ignores])
    return it
  }()
}
