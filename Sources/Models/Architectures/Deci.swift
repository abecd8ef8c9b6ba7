extension Architecture {
  /// Nemotron models with layers of different sizes, as llama.cpp knows them.
  static let deci = Architecture(
    modelType: nil, gguf: GGUF(name: "deci", factorTensors: .forLongRoPE, isInterleaved: true))
}
