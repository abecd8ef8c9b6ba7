extension Architecture {
  /// Qwen 2 and 2.5: Llama with biases on queries, keys and values.
  ///
  /// A GGUF file keeps the rotary pairs as halves, as the safetensors file has them.
  package static let qwen2 = {
    var it = Architecture(
      modelType: "qwen2", className: "Qwen2ForCausalLM",
      gguf: GGUF(name: "qwen2", fixesHeadSize: true))
    it.slidingWindow = .switched
    it.mlx.theta = .optional(1_000_000)
    var decoder = DecoderLayer()
    decoder.deviations = [.mlx: [.noWindow]]
    it.decoder = decoder
    it.biases = Biases(always: Biases.inputs, gguf: Biases.inputs, ofOutput: true)
    it.unsupportedFeatures = [.experts, .usedExperts]
    it.hyperparameters =
      Hyperparameter.common + Hyperparameter.headSizes + Hyperparameter.switchedWindow
    it.factorSupport = .ofLlamaLike.and([.mistralRS: .ignores])
    return it
  }()
}

extension Hyperparameter.Quantity {
  /// The layers before this one attend to everything, the others to a window.
  public static let firstWindowedLayer = Self("firstWindowedLayer")
}

extension Hyperparameter {
  /// Qwen's sliding window, which a GGUF file does not describe.
  static let switchedWindow: [Hyperparameter] = [
    .init(.slidingWindow, config: "sliding_window", absent: .none),
    .init(.firstWindowedLayer, config: "max_window_layers", absent: .value(28)),
  ]
}
