extension Architecture {
  /// Phi-3 mini and medium, Phi-3.5-mini and Phi-4-mini, which have fused projections.
  ///
  /// llama.cpp switches the sliding window off.
  package static let phi3 = {
    var it = Architecture(
      modelType: "phi3", className: "Phi3ForCausalLM",

      gguf: GGUF(
        name: "phi3", factorTensors: .always, requiresOriginalWindow: true, fixesHeadSize: true))
    it.slidingWindow = .always(missing: nil)
    it.transformers = TransformersTraits(
      takesLegacyTypes: true, takesThreeKeysOnly: true, recomputesKeys: true,
      defaultOriginalWindow: 4096)
    it.mlx = MLXTraits(
      longRoPE: .byFactors, rotatesPartially: true, readsOriginalWindowAtTop: true,
      defaultOriginalWindow: 4096, tiesByDefault: false)
    var decoder = DecoderLayer()
    decoder.attention = .fused
    decoder.feedForward = .fusedGateUp
    decoder.deviations = [.mlx: [.noWindow], .ollama: [.noWindow]]
    it.decoder = decoder
    it.rope.isPartial = true
    it.biases.gguf = [.fusedQKV]
    it.unsupportedFeatures = [.experts, .usedExperts]
    // llama.cpp recognises Phi-4 by the window of 0.
    it.hyperparameters =
      Hyperparameter.common + [.rotaryDimensions, .slidingWindow] + Hyperparameter.headSizes
    // Its converter fails with or without factors.
    it.unsupported = [
      .ctranslate2: "AttributeError: 'Phi3Attention' object has no attribute 'rotary_emb'"
    ]
    it.factorSupport = [
      .lmdeploy: .computes, .openVINO: .computes, .exllamaV3: .computes, .mistralRS: .computes,
      .ortGenAI: .computes, .ollama: .computes, .ikLlamaCpp: .computes,
    ]
    return it
  }()
}
