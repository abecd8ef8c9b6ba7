extension Architecture {
  /// Ministral 3 and Mistral Small 3 as llama.cpp knows them.
  static let mistral3 = Architecture(
    modelType: nil,
    gguf: GGUF(
      name: "mistral3", factorTensors: .forLongRoPE, isInterleaved: true, readsYarnTurns: true))
}
