import Glibc

/// The families, each by what it does otherwise than Llama.
extension Transformer {
  static func make(_ source: ModelSource) throws -> Transformer {
    switch source.architecture {
    case "llama": return try llama(source)
    case "mistral": return try mistral(source)
    case "phi3": return try phi3(source)
    case "qwen2", "qwen3": return try llama(source, rotatesNeighbours: false)
    case "granite": return try granite(source)
    case "minicpm": return try minicpm(source)
    default:
      throw VerifyError(source.path, "models of the family '\(source.architecture)' cannot be run yet")
    }
  }

  /// Also qwen2, whose projections have biases, and qwen3, whose heads are normed: both are told by their tensors.
  private static func llama(_ source: ModelSource, rotatesNeighbours: Bool? = nil) throws -> Transformer {
    let embedding = try self.embedding(source)
    let sizes = try Sizes(source, vocabulary: embedding.rows)
    let layers = try (0..<sizes.layers).map { try llamaLayer(source, $0, sizes) }
    var model = try assemble(source, embedding, layers, sizes)
    model.rotatesNeighbours = rotatesNeighbours ?? (source.format == .gguf)
    return model
  }

  private static func mistral(_ source: ModelSource) throws -> Transformer {
    var model = try llama(source)
    model.slidingWindow = source.number("sliding_window", "attention.sliding_window").flatMap { Int(exactly: $0) }
    return model
  }

  /// Fused projections: the rows of q, k and v, and of gate and up, stand one after another.
  private static func phi3(_ source: ModelSource) throws -> Transformer {
    let embedding = try self.embedding(source)
    let sizes = try Sizes(source, vocabulary: embedding.rows)
    let layers = try (0..<sizes.layers).map { index in
      func name(_ part: TensorName.Part) -> TensorName { .layer(index, part) }
      let q = sizes.queryWidth
      let k = sizes.keyWidth
      let fused = try source.matrix(name(.fusedQKV), rows: q + 2 * k, columns: sizes.hidden)
      let gateUp = try source.matrix(name(.fusedGateUp), rows: 2 * sizes.feedForward, columns: sizes.hidden)
      return Layer(
        attentionNorm: try source.vector(name(.attentionNorm), count: sizes.hidden),
        query: fused.part(0..<q), key: fused.part(q..<q + k), value: fused.part(q + k..<q + 2 * k),
        attentionOutput: try source.matrix(name(.attentionOutput), rows: sizes.hidden, columns: q),
        feedForwardNorm: try source.vector(name(.feedForwardNorm), count: sizes.hidden),
        gate: gateUp.part(0..<sizes.feedForward), up: gateUp.part(sizes.feedForward..<2 * sizes.feedForward),
        down: try source.matrix(name(.down), rows: sizes.hidden, columns: sizes.feedForward))
    }
    var model = try assemble(source, embedding, layers, sizes)
    if source.format == .folder {
      model.slidingWindow = source.number("sliding_window", "").flatMap { Int(exactly: $0) }
    }
    return model
  }

  /// Multipliers of its own on embeddings, attention, residuals and logits.
  private static func granite(_ source: ModelSource) throws -> Transformer {
    var model = try llama(source)
    model.embeddingScale = Float(source.number("embedding_multiplier", "embedding_scale") ?? 1)
    model.residualScale = Float(source.number("residual_multiplier", "residual_scale") ?? 1)
    model.attentionScale = Float(source.number("attention_multiplier", "attention.scale") ?? 1)
    model.logitScale = 1 / Float(source.number("logits_scaling", "logit_scale") ?? 1)
    return model
  }

  /// Depth-scaled residuals, and logits scaled by width; a GGUF file holds the results.
  private static func minicpm(_ source: ModelSource) throws -> Transformer {
    var model = try llama(source)
    model.embeddingScale = Float(source.number("scale_emb", "embedding_scale") ?? 1)
    switch source.format {
    case .folder:
      let depth = Float(source.number("scale_depth", "") ?? 1)
      model.residualScale = depth / Float(model.layers.count).squareRoot()
      model.logitScale = Float(source.number("dim_model_base", "") ?? Double(model.hidden)) / Float(model.hidden)
    case .gguf:
      model.residualScale = Float(source.number("", "residual_scale") ?? 1)
      model.logitScale = 1 / Float(source.number("", "logit_scale") ?? 1)
    }
    return model
  }

  // MARK: Shared parts

  private static func embedding(_ source: ModelSource) throws -> Weight {
    let hidden = try source.integer("hidden_size", "embedding_length")
    return try source.matrix(.embedding, columns: hidden)
  }

  private static func llamaLayer(_ source: ModelSource, _ index: Int, _ sizes: Sizes) throws -> Layer {
    func matrix(_ part: TensorName.Part, _ rows: Int, _ columns: Int) throws -> Weight {
      try source.matrix(.layer(index, part), rows: rows, columns: columns)
    }
    func vector(_ part: TensorName.Part, _ count: Int) throws -> [Float] {
      try source.vector(.layer(index, part), count: count)
    }
    func optional(_ part: TensorName.Part, _ count: Int) throws -> [Float]? {
      source.has(.layer(index, part)) ? try vector(part, count) : nil
    }
    return Layer(
      attentionNorm: try vector(.attentionNorm, sizes.hidden),
      query: try matrix(.query, sizes.queryWidth, sizes.hidden),
      key: try matrix(.key, sizes.keyWidth, sizes.hidden),
      value: try matrix(.value, sizes.keyWidth, sizes.hidden),
      queryBias: try optional(.queryBias, sizes.queryWidth),
      keyBias: try optional(.keyBias, sizes.keyWidth),
      valueBias: try optional(.valueBias, sizes.keyWidth),
      queryNorm: try optional(.queryNorm, sizes.headDimension),
      keyNorm: try optional(.keyNorm, sizes.headDimension),
      attentionOutput: try matrix(.attentionOutput, sizes.hidden, sizes.queryWidth),
      feedForwardNorm: try vector(.feedForwardNorm, sizes.hidden),
      gate: try matrix(.gate, sizes.feedForward, sizes.hidden),
      up: try matrix(.up, sizes.feedForward, sizes.hidden),
      down: try matrix(.down, sizes.hidden, sizes.feedForward))
  }

  /// Without an output matrix the embedding serves as one.
  private static func assemble(
    _ source: ModelSource, _ embedding: Weight, _ layers: [Layer], _ sizes: Sizes
  ) throws -> Transformer {
    let output =
      source.has(.output)
      ? try source.matrix(.output, rows: sizes.vocabulary, columns: sizes.hidden) : embedding
    return Transformer(
      source, embedding: embedding, output: output, layers: layers,
      finalNorm: try source.vector(.finalNorm, count: sizes.hidden), sizes: sizes)
  }
}
