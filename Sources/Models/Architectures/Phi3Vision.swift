extension Architecture {
  /// Phi-3-vision and Phi-3.5-vision, of which the text half is run.
  static let phi3Vision = {
    var it = phi3.renamed("phi3_v", className: nil)
    it.gguf = nil
    it.transformers = TransformersTraits(isRemoteCode: true)
    it.mlx = MLXTraits()
    it.unsupported = [
      .transformers4: remoteCodeOnly, .transformers5: remoteCodeOnly, .mlx: lacksIt,
    ]
    it.factorSupport = [.mistralRS: .computes, .lmdeploy: .computes]
    it.otherParts = ["model.vision_embed_tokens."]
    return it
  }()
}
