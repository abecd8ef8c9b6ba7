extension Architecture {
  /// OLMo 2: Llama with norms after attention and the feed-forward.
  ///
  /// Queries and keys have norms as well, each over all heads together. llama.cpp does not read
  /// factors, and loads OLMo 3 under the same name.
  static let olmo2 = {
    var it = Architecture(
      modelType: "olmo2", className: "Olmo2ForCausalLM",
      gguf: GGUF(name: "olmo2", requiresOutput: true, fixesHeadSize: true))
    it.transformers.takesTypeAndFactorOnly = true
    it.unsupported = [.vllm: throughTransformers]
    var decoder = DecoderLayer()
    decoder.normPlacement = .after
    decoder.headNorms = .whole
    it.decoder = decoder
    it.hyperparameters = Hyperparameter.common + Hyperparameter.headSizes
    it.biases = .ofAttention(gguf: Biases.inputs)
    it.unsupportedFeatures = [
      .experts, .usedExperts,
      UnsupportedFeature(
        gguf: "attention.sliding_window", values: .isNotZero,
        name: "OLMo 3, whose layers alternate,"),
    ]
    return it
  }()
}
