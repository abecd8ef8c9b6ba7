extension Architecture {
  /// OLMo 2: Llama with its norms after attention and the feed-forward, and norms over all heads of
  /// queries and of keys. llama.cpp takes no factors, and reads OLMo 3 under the same name.
  static let olmo2 = {
    var it = Architecture(
      modelType: "olmo2", className: "Olmo2ForCausalLM",
      gguf: GGUF(name: "olmo2", requiresOutput: true))
    it.transformers.takesTypeAndFactorOnly = true
    it.unsupported = [.vllm: throughTransformers]
    var decoder = DecoderLayer()
    decoder.normPlacement = .after
    decoder.headNorms = .whole
    it.decoder = decoder
    it.hyperparameters = Hyperparameter.common + Hyperparameter.headSizes
    it.biasMembers.attention = "attention_bias"
    it.foreignFeatures = [
      ForeignFeature(gguf: "attention.sliding_window", name: "OLMo 3, whose layers alternate,")
    ]
    return it
  }()
}
