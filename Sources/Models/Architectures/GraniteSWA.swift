extension Architecture {
  /// Granite with a sliding window, known to llama.cpp only.
  static let graniteSWA = Architecture(
    modelType: nil,
    gguf: GGUF(
      name: "granite_swa", factorTensors: .ifLongRoPE, isInterleaved: true, obeysFinetuned: true))
}
