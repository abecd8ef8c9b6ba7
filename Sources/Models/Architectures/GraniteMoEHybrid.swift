import Formats

extension Architecture {
  /// Granite 4 without Mamba layers and experts: Granite with one matrix for gate and up.
  ///
  /// Every layer has attention and a shared feed-forward. As a GGUF file the model is a Granite, and
  /// from there it becomes a folder of one. MLX-LM does not pass the scaling to its rotary embedding.
  static let graniteMoEHybrid = {
    var it = granite.renamed("granitemoehybrid", className: nil)
    it.unsupported = [.mlx: "its granitemoehybrid ignores rope_scaling"]
    it.decoder?.feedForward = .fusedGateUp
    it.decoder?.splitsGateUpInGGUF = true
    it.hyperparameters = it.hyperparameters.map { row in
      row.quantity == .feedForward
        ? Hyperparameter(.feedForward, config: "shared_intermediate_size", gguf: row.gguf) : row
    }
    it.layerNames = [
      .fusedGateUp: TensorNames("shared_mlp.input_linear", ""),
      .down: TensorNames("shared_mlp.output_linear", "ffn_down"),
    ]
    it.unsupportedFeatures = []
    it.configCheck = { config in
      // transformers' class has 8 experts, Mamba layers and no rotary embedding by default.
      guard config["num_local_experts"]?.integer == 0 else {
        return "'num_local_experts' is not 0: a mixture of experts is not supported"
      }
      let types = config["layer_types"]?.elements ?? []
      let attention: Set = ["attention", "full_attention"]
      guard !types.isEmpty, types.allSatisfy({ attention.contains($0.text ?? "") }) else {
        return "'layer_types' has layers without attention: Mamba layers are not supported"
      }
      guard config["position_embedding_type"]?.text == "rope" else {
        return "'position_embedding_type' is not 'rope': the model has no rotary embedding"
      }
      return nil
    }
    it.factorSupport = [:]
    return it
  }()
}
