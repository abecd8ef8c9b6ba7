/// Phi-3-small: one projection with a group of rows for each key head, layer norms, a clipped gated GELU, muP's
/// multipliers, and attention that sees only some blocks of keys in all but every n-th layer.
enum Phi3Small {
  static func make(_ source: ModelSource) throws -> Transformer {
    guard source.format == .folder else { throw VerifyError(source.path, "phi3small runs from folders only") }
    let sizes = try Sizes(source, feedForward: "ff_intermediate_size", epsilon: "layer_norm_epsilon")
    let sparsity = BlockSparsity(
      blockSize: try source.integer("blocksparse_block_size", ""),
      localBlocks: try source.integer("blocksparse_num_local_blocks", ""),
      stride: try source.integer("blocksparse_vert_stride", ""))
    let denseEvery = source.number("dense_attention_every_n_layers", "").flatMap { Int(exactly: $0) } ?? 0
    let limit = Float(source.number("gegelu_limit", "") ?? .infinity)
    var model = try Transformer.assemble(source, sizes, normKind: .layer) { reader in
      var layer = try layer(reader, sizes, limit)
      if denseEvery > 0, (reader.index + 1) % denseEvery != 0 { layer.attention.pattern = .blockSparse(sparsity) }
      return layer
    }
    model.setMultipliers(source, sizes)
    model.excludedTokens = try source.integers("dummy_token_indices") ?? []
    return model
  }

  private static func layer(_ reader: LayerReader, _ sizes: Sizes, _ limit: Float) throws -> Transformer.Layer {
    Transformer.Layer(
      attentionNorm: try reader.norm(.attentionNorm, sizes.hidden),
      attention: SelfAttention(
        inputs: .grouped(
          try reader.projection(.groupedQKV, sizes.queryWidth + 2 * sizes.keyWidth, sizes.hidden)),
        output: try reader.projection(.dense, sizes.hidden, sizes.queryWidth)),
      feedForwardNorm: try reader.norm(.feedForwardNorm, sizes.hidden),
      feedForward: .gegelu(
        up: try reader.projection(.interleavedUp, 2 * sizes.feedForward, sizes.hidden),
        down: try reader.projection(.down, sizes.hidden, sizes.feedForward), limit: limit))
  }
}

extension Transformer {
  fileprivate mutating func setMultipliers(_ source: ModelSource, _ sizes: Sizes) {
    embeddingScale = Float(source.number("mup_embedding_multiplier", "") ?? 10)
    logitScale = 1 / Float(source.number("mup_width_multiplier", "") ?? 8)
    if source.flag("mup_use_scaling") ?? true {
      shape.scale = Float(source.number("mup_attn_multiplier", "") ?? 1) / Float(sizes.headDimension)
    }
  }
}
