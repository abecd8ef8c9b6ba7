/// Llama with multipliers of its own on embeddings, attention, residuals and logits.
enum Granite {
  static func make(_ source: ModelSource) throws -> Transformer {
    func multiplier(_ config: String, _ key: String) -> Float { Float(source.number(config, key) ?? 1) }
    var model = try Llama.make(source)
    model.embeddingScale = multiplier("embedding_multiplier", "embedding_scale")
    model.residualScale = multiplier("residual_multiplier", "residual_scale")
    model.shape.scale = multiplier("attention_multiplier", "attention.scale")
    model.logitScale = 1 / multiplier("logits_scaling", "logit_scale")
    return model
  }
}
