extension Architecture {
  /// SmolLM3: Llama in which every fourth layer has no rotary embedding, or those that the config
  /// lists. llama.cpp knows the fourth ones only, and takes no factors.
  static let smolLM3 = {
    var it = Architecture(
      modelType: "smollm3", className: "SmolLM3ForCausalLM",
      gguf: GGUF(name: "smollm3", isInterleaved: true))
    it.rope.defaultTheta = 2_000_000
    it.unsupported = [.vllm: throughTransformers, .sglang: throughTransformers]
    var decoder = DecoderLayer()
    decoder.rotaryLayers = .listed(interval: 4)
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.headSizes
    it.biasMembers.attention = "attention_bias"
    it.foreignFeatures = [
      ForeignFeature(
        config: "use_sliding_window", name: "a window for the layers without rotary embedding")
    ]
    return it
  }()
}
