import Formats

extension Architecture {
  /// Ministral 3: Llama with YaRN, and a temperature on queries that grows with the position.
  ///
  /// llama.cpp reads Mistral Small 3 under the same name; its files lack the temperature.
  static let ministral3 = {
    var it = Architecture(
      modelType: "ministral3", className: "Ministral3ForCausalLM",
      gguf: GGUF(
        name: "mistral3", factorTensors: .forLongRoPE, isInterleaved: true, readsYarnTurns: true,
        writesHeadSize: true))
    it.rope.keptMembers = [QueryTemperature.member]
    it.rope.writesParameters = true
    it.slidingWindow = .always(missing: nil)
    it.unsupported = [.transformers4: lacksIt]
    it.uncomputed = [
      .vllm: "it reads no temperature from a folder",
      .sglang: "it takes another window for the temperature unless the config has one at its top",
    ]
    it.mlx.theta = .requiredAnywhere
    it.mlx.readsRopeParameters = true
    it.mlx.requiresScaling = true
    var decoder = DecoderLayer()
    decoder.hasTemperature = true
    // It has the window only in the layers that `layer_types` names.
    decoder.deviations[.mlx] = [.noWindow]
    it.decoder = decoder
    it.hyperparameters =
      Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.headSizes
    it.biases = Biases(gguf: Biases.projections)
    it.unsupportedFeatures = [.experts, .usedExperts]
    it.configCheck = { config in
      // transformers has defaults for these, but publishes no model without them.
      if config["head_dim"] == nil { return "'head_dim' is missing" }
      return RopeConfig(config, "").scaling == nil ? "'rope_parameters' is missing" : nil
    }
    return it
  }()
}
