/// MiniCPM 1, 2 and 4 (dense): Llama with scaled embeddings, residuals by depth, and logits by width. A GGUF file holds
/// the results.
enum MiniCPM {
  static func make(_ source: ModelSource) throws -> Transformer {
    var model = try Llama.make(source)
    switch source.format {
    case .folder: try model.setDepthScaling(source)
    case .gguf:
      model.embeddingScale = Float(source.number("", "embedding_scale") ?? 1)
      model.residualScale = Float(source.number("", "residual_scale") ?? 1)
      model.logitScale = 1 / Float(source.number("", "logit_scale") ?? 1)
    }
    return model
  }
}

extension Transformer {
  /// By the config's scale_emb, scale_depth and dim_model_base.
  mutating func setDepthScaling(_ source: ModelSource) throws {
    embeddingScale = Float(try source.required("scale_emb"))
    residualScale = Float(try source.required("scale_depth")) / Float(layers.count).squareRoot()
    logitScale = Float(try source.required("dim_model_base")) / Float(hidden)
  }
}
