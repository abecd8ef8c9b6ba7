extension Architecture {
  /// Phi-4-multimodal as transformers has it.
  static let phi4Multimodal = {
    var it = Architecture(modelType: "phi4_multimodal")
    it.rope.isPartial = true
    it.slidingWindow = .always(missing: nil)
    it.unsupported = [.mlx: lacksIt, .sglang: lacksIt]
    return it
  }()
}
