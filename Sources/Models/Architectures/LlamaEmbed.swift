extension Architecture {
  /// Embedding models on Llama's trunk, known to llama.cpp only.
  static let llamaEmbed = Architecture(
    modelType: nil,
    gguf: GGUF(name: "llama-embed", factorTensors: .forLongRoPE, isInterleaved: true))
}
