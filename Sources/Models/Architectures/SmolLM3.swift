extension Architecture {
  /// SmolLM3: Llama in which some layers have no rotary embedding.
  ///
  /// These are the layers that the config lists, or else every fourth one. llama.cpp supports only
  /// every fourth layer, and does not read factors.
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
    it.hasFeedForwardBiases = true
    it.biases = .ofAttention(gguf: Biases.inputs)
    it.tiesByDefault = true
    it.unsupportedFeatures = [
      .experts, .usedExperts,
      UnsupportedFeature(
        config: "use_sliding_window", name: "a window for the layers without rotary embedding"),
    ]
    it.factorSupport = [
      .openVINO: .computes, .exllamaV3: .computes, .ortGenAI: .ignores,
      .mistralRS: .unknownVariant,
    ]
    return it
  }()
}
