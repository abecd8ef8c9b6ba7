extension Architecture {
  static let apertus = {
    var it = Architecture(
      modelType: "apertus", gguf: GGUF(name: "apertus", factorTensors: .forLongRoPE))
    it.mlx.theta = .required
    it.unsupported = [.sglang: lacksIt]
    return it
  }()
}
