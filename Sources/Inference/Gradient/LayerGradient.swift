import Numerics

/// The backward pass of one decoder layer over all rows of one sequence.
///
/// It reads like `LayerPass.forward` from the bottom to the top. What the forward pass did not
/// keep is computed again.
struct LayerGradient {
  let pass: LayerPass
  let record: LayerRecord
  /// The angle of each row and pair: (rows, pairs).
  let angles: Matrix
  /// Whether a row is rotated by the factors: (rows).
  let isScaled: [Bool]

  private var layer: Transformer.Layer { pass.layer }
  private var engine: Engine { pass.engine }
  private var shape: AttentionShape { pass.model.shape }

  /// The number of rows that go through the projections together.
  private static let blockRows = 1024

  private var blocks: [Range<Int>] {
    stride(from: 0, to: record.input.rows, by: Self.blockRows).map {
      $0..<min($0 + Self.blockRows, record.input.rows)
    }
  }

  /// - Parameters:
  ///   - gradient: comes as the derivative by the hidden states after the layer, and leaves as that
  ///     by those before it: (rows, hidden).
  ///   - isFirst: whether nothing needs the derivative by the hidden states before the layer.
  /// - Returns: the derivatives by the layer's rotation.
  func run(
    _ gradient: Matrix, isFirst: Bool, _ checkpoint: () throws -> Void
  ) throws -> RotationGradient {
    // Feed-forward network and output projection.
    let attended = Matrix(rows: gradient.rows, columns: shape.attendedWidth)
    for rows in blocks {
      try checkpoint()
      let part = gradient.gathered(Array(rows))
      attended.copy(throughFeedForward(part, rows), at: rows.lowerBound)
      gradient.copy(part, at: rows.lowerBound)
    }

    // Queries, keys and values.
    let query = Matrix(rows: gradient.rows, columns: shape.queryWidth)
    for rows in blocks {
      try checkpoint()
      let input = pass.attentionInput(record.input.gathered(Array(rows)))
      pass.store(input, rows: rows)
      query.copy(pass.rotatedQueries(input, rows: Array(rows)), at: rows.lowerBound)
    }

    // Causal attention.
    try checkpoint()
    let inner = pass.attention.gradient(query, record, attended)

    // Rotary embedding.
    var rotation = RotationGradient(pairs: angles.columns)
    if layer.attention.isRotated {
      rotation.add(
        query, inner.query, angles: angles, isScaled: isScaled, shape, engine)
      rotation.add(
        pass.cache.keys, inner.key, angles: angles, isScaled: isScaled, shape, engine)
    }
    if isFirst { return rotation }

    // Query, key and value projections.
    let back = pass.rotation.own.reversed
    for rows in blocks {
      try checkpoint()
      let all = Array(rows)
      let (query, key) = (inner.query.gathered(all), inner.key.gathered(all))
      pass.scaleByTemperature(query, rows: all)
      pass.rotate(query, rows: all, by: back)
      pass.rotate(key, rows: all, by: back)
      let part = throughInputs(query, key, inner.value.gathered(all), rows)
      engine.add(gradient.gathered(all), to: part)
      gradient.copy(part, at: rows.lowerBound)
    }
    return rotation
  }

  /// Goes backward from the end of the layer to the result of attention.
  /// - Parameter gradient: comes as the derivative by the hidden states after the layer, and leaves
  ///   as that by those before the layer, along the residual connection: (m, hidden).
  /// - Returns: the derivative by the result of attention: (m, heads * valueDimension).
  private func throughFeedForward(_ gradient: Matrix, _ rows: Range<Int>) -> Matrix {
    let all = Array(rows)
    let scale = pass.model.residualScale

    // The forward pass up to the feed-forward network, again.
    let middle = record.input.gathered(all)  // (m, hidden)
    let attended = Operand(record.attended.gathered(all), engine)
    let projected = engine.project(attended, layer.attention.output)
    let added = layer.postAttentionNorm.map { pass.normed(projected, $0) } ?? projected
    engine.add(added, scaled: scale, to: middle)
    let normed = pass.normed(middle, layer.feedForwardNorm)

    // Feed-forward network.
    var back = engine.scaled(gradient, by: scale)
    if let norm = layer.postFeedForwardNorm {
      engine.normGradient(layer.feedForward(normed, engine), norm, back)
    }
    back = layer.feedForward.gradient(normed, back, engine)
    if let norm = layer.feedForwardNorm { engine.normGradient(middle, norm, back) }

    // Residual connection.
    engine.add(back, to: gradient)

    // Output projection.
    back = engine.scaled(gradient, by: scale)
    if let norm = layer.postAttentionNorm { engine.normGradient(projected, norm, back) }
    return engine.projectBack(back, layer.attention.output.weight)
  }

  /// Goes backward through the norms and projections before attention.
  /// - Parameters: the derivatives by queries, keys and values before their rotation.
  /// - Returns: the derivative by the hidden states before the layer: (m, hidden).
  private func throughInputs(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, _ rows: Range<Int>
  ) -> Matrix {
    let x = record.input.gathered(Array(rows))
    let input = pass.attentionInput(x)
    if let norm = layer.attention.queryNorm {
      engine.normGradient(pass.queries(input), norm, query)
    }
    if let norm = layer.attention.keyNorm {
      engine.normGradient(pass.keysAndValues(input).0, norm, key)
    }
    let back: Matrix
    switch layer.attention.inputs {
    case .separate(let queries, let keys, let values):
      back = engine.projectBack(query, queries.weight)
      keys.weight.projectBack(key, into: back, engine)
      values.weight.projectBack(value, into: back, engine)
    case .grouped(let fused):
      back = engine.projectBack(grouped(query, key, value), fused.weight)
    case .latent(let latent): back = throughLatent(latent, input, query, key, value)
    }
    if let norm = layer.attentionNorm { engine.normGradient(x, norm, back) }
    return back
  }

  /// Puts queries, keys and values into the order of a grouped projection's outputs.
  private func grouped(_ query: Matrix, _ key: Matrix, _ value: Matrix) -> Matrix {
    let (group, width) = (shape.heads / shape.keyValueHeads, shape.headDimension)
    let out = Matrix(
      rows: query.rows, columns: shape.queryWidth + shape.keyWidth + shape.valueWidth)
    for head in 0..<shape.keyValueHeads {
      let start = head * (group + 2) * width
      out.copy(
        columns: head * group * width..<(head + 1) * group * width, of: query, at: start)
      out.copy(columns: shape.keyColumns(head), of: key, at: start + group * width)
      out.copy(columns: shape.valueColumns(head), of: value, at: start + (group + 1) * width)
    }
    return out
  }

  /// Goes backward through the projections of latent attention.
  private func throughLatent(
    _ latent: SelfAttention.Latent, _ input: Operand, _ query: Matrix, _ key: Matrix,
    _ value: Matrix
  ) -> Matrix {
    // Queries.
    let queries = engine.projectBack(query, latent.queryUp.weight)
    engine.normGradient(engine.project(input, latent.queryDown), latent.queryNorm, queries)
    let back = engine.projectBack(queries, latent.queryDown.weight)

    // The unrotated part of the keys, and the values.
    let rank = latent.keyValueNorm.weight.count
    let stored = shape.rotaryOffset + shape.valueDimension
    let up = Matrix(rows: key.rows, columns: shape.heads * stored)
    for head in 0..<shape.heads {
      let start = head * shape.headDimension
      up.copy(columns: start..<start + shape.rotaryOffset, of: key, at: head * stored)
      up.copy(columns: shape.valueColumns(head), of: value, at: head * stored + shape.rotaryOffset)
    }
    let narrow = engine.projectBack(up, latent.keyValueUp.weight)
    let down = engine.project(input, latent.keyValueDown)  // (m, rank + rotated)
    let low = Matrix(rows: down.rows, columns: rank)
    low.copy(columns: 0..<rank, of: down, at: 0)
    engine.normGradient(low, latent.keyValueNorm, narrow)

    // The rotated part of the keys, which all heads share.
    let keys = Matrix.zeros(rows: down.rows, columns: down.columns)
    keys.copy(columns: 0..<rank, of: narrow, at: 0)
    for row in 0..<key.rows {
      for head in 0..<shape.heads {
        let start = head * shape.headDimension + shape.rotaryOffset
        for column in 0..<down.columns - rank {
          keys[row, rank + column] += key[row, start + column]
        }
      }
    }
    latent.keyValueDown.weight.projectBack(keys, into: back, engine)
    return back
  }
}
