extension Architecture {
  /// Mistral 7B and its descendants: Llama with a sliding window, if the config sets one.
  ///
  /// As a GGUF file the model is a Llama without the window.
  static let mistral = {
    var it = llama.renamed("mistral", className: "MistralForCausalLM")
    it.rope.yarnTurns = YarnTurns(fast: 128, slow: 2)
    it.slidingWindow = .always(missing: 4096)
    // A GGUF file is read as a Llama's.
    it.hasFeedForwardBiases = false
    it.biases = Biases(gguf: Biases.projections)
    it.decoder?.deviations[.mlx] = [.noWindow]
    it.hyperparameters.append(
      Hyperparameter(.slidingWindow, config: "sliding_window", absent: .none))
    it.transformers.requiresHeadDimension = true
    it.factorSupport = .ofLlamaLike.and([
      .mistralRS: .refuses("unknown variant `longrope`, expected `default` or `yarn`")
    ])
    return it
  }()
}
