/// Llama 2, 3 and 3.1: RMS norms, separate projections, SiLU-gated feed-forward. llama.cpp stores queries and keys with
/// the pairs as neighbours.
enum Llama {
  static func make(_ source: ModelSource) throws -> Transformer {
    let sizes = try Sizes(source)
    var model = try Transformer.assemble(source, sizes) { try layer($0, sizes) }
    model.shape.rotatesNeighbours = source.format == .gguf
    return model
  }

  /// Biases and norms of queries and keys are read where the file has them.
  static func layer(_ reader: LayerReader, _ sizes: Sizes) throws -> Transformer.Layer {
    Transformer.Layer(
      attentionNorm: try reader.norm(.attentionNorm, sizes.hidden), attention: try attention(reader, sizes),
      feedForwardNorm: try reader.norm(.feedForwardNorm, sizes.hidden), feedForward: try reader.gated(sizes))
  }

  static func attention(_ reader: LayerReader, _ sizes: Sizes) throws -> SelfAttention {
    SelfAttention(
      inputs: .separate(
        query: try reader.projection(.query, sizes.queryWidth, sizes.hidden),
        key: try reader.projection(.key, sizes.keyWidth, sizes.hidden),
        value: try reader.projection(.value, sizes.keyWidth, sizes.hidden)),
      queryNorm: try reader.optionalNorm(.queryNorm, sizes.headDimension),
      keyNorm: try reader.optionalNorm(.keyNorm, sizes.headDimension),
      output: try reader.projection(.attentionOutput, sizes.hidden, sizes.queryWidth))
  }
}
