/// Phi-3 and 3.5 mini and medium, Phi-4-mini, and the text half of Phi-3-vision: fused projections, in which the rows of
/// q, k and v, and of gate and up, stand one after another. llama.cpp switches the sliding window off.
enum Phi3 {
  static func make(_ source: ModelSource) throws -> Transformer {
    let sizes = try Sizes(source)
    var model = try Transformer.assemble(source, sizes) { try layer($0, sizes) }
    if source.format == .folder { model.setSlidingWindow(source.number("sliding_window", "")) }
    return model
  }

  private static func layer(_ reader: LayerReader, _ sizes: Sizes) throws -> Transformer.Layer {
    let (q, k, f) = (sizes.queryWidth, sizes.keyWidth, sizes.feedForward)
    let fused = try reader.projection(.fusedQKV, q + 2 * k, sizes.hidden)
    let gateUp = try reader.matrix(.fusedGateUp, 2 * f, sizes.hidden)
    return Transformer.Layer(
      attentionNorm: try reader.norm(.attentionNorm, sizes.hidden),
      attention: SelfAttention(
        inputs: .separate(
          query: fused.part(0..<q), key: fused.part(q..<q + k), value: fused.part(q + k..<q + 2 * k)),
        output: try reader.projection(.attentionOutput, sizes.hidden, q)),
      feedForwardNorm: try reader.norm(.feedForwardNorm, sizes.hidden),
      feedForward: .gated(
        gate: gateUp.part(0..<f), up: gateUp.part(f..<2 * f),
        down: try reader.matrix(.down, sizes.hidden, f)))
  }
}

extension Projection {
  /// Some of the outputs.
  func part(_ range: Range<Int>) -> Projection {
    Projection(weight: weight.part(range), bias: bias.map { Array($0[range]) })
  }
}
