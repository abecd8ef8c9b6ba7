extension Architecture {
  /// Phi-4-multimodal as it was published, with code of its own.
  static let phi4MM = {
    var it = Architecture(modelType: "phi4mm")
    it.rope.isPartial = true
    it.slidingWindow = .always(missing: nil)
    it.transformers = TransformersTraits(isRemoteCode: true)
    it.unsupported = [
      .transformers4: remoteCodeOnly, .transformers5: remoteCodeOnly, .mlx: lacksIt,
    ]
    return it
  }()
}
