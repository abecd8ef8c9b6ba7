extension Architecture {
  /// Granite with a sliding window, known to llama.cpp only.
  static let graniteSWA = Architecture(
    modelType: nil,
    gguf: GGUF(
      name: "granite_swa", factorTensors: .forLongRoPE, isInterleaved: true, obeysFinetuned: true))
}
