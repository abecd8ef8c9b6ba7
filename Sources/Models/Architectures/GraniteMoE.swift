extension Architecture {
  static let graniteMoE = {
    var it = Architecture(
      modelType: "granitemoe",
      gguf: GGUF(
        name: "granitemoe", factorTensors: .forLongRoPE, isInterleaved: true, obeysFinetuned: true))
    it.transformers.requiresRopeType = true
    it.mlx.theta = .required
    return it
  }()
}
