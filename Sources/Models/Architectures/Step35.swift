extension Architecture {
  /// Step 3.5, as llama.cpp knows it.
  static let step35 = Architecture(
    modelType: nil, gguf: GGUF(name: "step35", factorTensors: .forLongRoPE))
}
