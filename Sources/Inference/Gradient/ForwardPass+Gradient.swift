import Models
import Numerics
import Patch

extension ForwardPass {
  /// The mean loss of a sequence's scored tokens, and its derivatives by the rotation.
  ///
  /// A forward pass keeps the hidden states before each layer and the result of its attention; a
  /// backward pass then goes through the layers and computes everything else again. It does not
  /// differentiate by weights. Together they take about as long as three forward passes.
  /// - Parameter policy: rotates all tokens by one table.
  /// - Throws: `ModelError` for a policy with several tables, or whatever `states` throws.
  public func gradient(
    _ sequence: Scoring.Sequence, _ policy: RopePolicy
  ) throws -> RopeGradient {
    let passes = policy.passes(prompt: sequence.prompt, scored: sequence.scored)
    guard passes.count == 1, let table = passes[0].schedule.onlyTable,
      let last = sequence.scored.max()
    else {
      throw ModelError.unsupported(
        policy.name, "rotates one sequence by several tables; only one can be differentiated")
    }
    let batch = Batch(Array(sequence.tokens[..<last]), passes[0].schedule)
    try check(batch)

    // Forward, layer by layer.
    var x = try embed(batch)
    var records: [LayerRecord] = []
    let blocks = blocks(batch)
    for index in model.layers.indices {
      let record = LayerRecord(x, model.shape)
      x = Matrix(rows: x.rows, columns: x.columns)
      var pass = layerPass(index, batch)
      try run(&pass, record.input, blocks, into: x, record)
      records.append(record)
    }

    // Loss.
    var result = RopeGradient(layers: model.layers.count, pairs: table.inverseFrequencies[0].count)
    let gradient = try lossGradient(x, sequence, &result.loss)

    // Backward.
    for index in model.layers.indices.reversed() {
      let layer = LayerGradient(
        pass: layerPass(index, batch), record: records.removeLast(),
        angles: Self.angles(table, layer: index, rows: batch.rows),
        isScaled: (0..<batch.rows).map { $0 >= table.startTokens })
      let rotation = try layer.run(gradient, isFirst: index == 0, checkpoint)
      result.logFrequencies[index] = rotation.logFrequencies
      result.logMscales[index] = rotation.logMscales
    }
    return result
  }

  /// The least number of bytes that `gradient` needs in addition to the mapped weights.
  public func gradientMemory(tokens: Int) -> Int {
    let kept = model.hidden + model.shape.attendedWidth + model.shape.heads
    let attention = 4 * model.shape.queryWidth + 3 * model.shape.attendedWidth
    return memory(tokens: tokens) + 4 * tokens * (model.layers.count * kept + attention)
  }

  private func layerPass(_ index: Int, _ batch: Batch) -> LayerPass {
    LayerPass(
      model, model.layers[index], engine, batch, LayerKeys(rows: batch.rows, model.shape),
      rotation(batch, index))
  }

  private static func angles(_ table: RopeSchedule.Table, layer: Int, rows: Int) -> Matrix {
    let lists = table.inverseFrequencies
    let frequencies = lists[lists.count == 1 ? 0 : layer]
    let angles = Matrix(rows: rows, columns: frequencies.count)
    for row in 0..<rows {
      for (pair, frequency) in frequencies.enumerated() {
        angles[row, pair] = frequency * Float(row)
      }
    }
    return angles
  }

  // MARK: Loss

  /// The most logits that are in memory at a time.
  private static let logits = 32 << 20

  /// The derivative of the mean loss by the hidden states after the last layer: (rows, hidden).
  private func lossGradient(
    _ x: Matrix, _ sequence: Scoring.Sequence, _ loss: inout Double
  ) throws -> Matrix {
    let gradient = Matrix.zeros(rows: x.rows, columns: x.columns)
    let most = max(1, Self.logits / model.vocabulary)
    for start in stride(from: 0, to: sequence.scored.count, by: most) {
      try checkpoint()
      let scored = Array(sequence.scored[start..<min(start + most, sequence.scored.count)])
      let rows = scored.map { $0 - 1 }
      let states = x.gathered(rows)
      let normed = Matrix(rows: states.rows, columns: states.columns)
      engine.norm(states, model.finalNorm, into: normed)
      let logits = try logits(normed, rows: Array(rows.indices))
      let losses = Slots<Double>(rows.count)
      engine.parallel.run(rows.count) { row in
        let token = sequence.tokens[scored[row]]
        let weight = sequence.weight(start + row)
        losses.set(row, weight * lossGradient(logits, row: row, token: token, weight: weight))
      }
      loss += losses.values.reduce(0, +)
      let back = engine.projectBack(logits, model.output.weight)
      engine.normGradient(states, model.finalNorm, back)
      for (index, row) in rows.enumerated() {
        engine.add(back, row: index, scaled: 1, to: gradient, row: row)
      }
    }
    return gradient
  }

  /// Replaces a row of logits by the derivative of the mean loss by the output of the projection.
  /// - Returns: the loss of the row.
  private func lossGradient(_ logits: Matrix, row: Int, token: Int, weight: Double) -> Double {
    let total = engine.logSumExp(logits, row: row).value
    let loss = total - Double(logits[row, token])
    engine.kernels.softmax(logits, row: row, logSum: Float(total))
    logits[row, token] -= 1
    engine.divide(
      logits, row: row, columns: 0..<logits.columns, by: 1 / (Float(weight) * model.logitScale))
    return loss
  }
}
