/// A prefill over a whole, known sequence, layer by layer: each weight is unpacked once, and only one layer's keys and
/// values are alive.
public struct ForwardPass: Sendable {
  public let model: Transformer
  let parallel: Parallel

  public init(_ model: Transformer, threads: Int) {
    self.model = model
    parallel = Parallel(threads: threads)
  }

  /// What the model thinks of one token, given all before it.
  public struct Score: Equatable, Sendable {
    /// Natural logarithm of the token's probability.
    public var logProbability: Double
    /// The likeliest token in its place, and its log-probability.
    public var greedy: Int
    public var greedyLogProbability: Double
  }

  /// Rows of logits that are computed at a time.
  private static let scoredRows = 64

  /// - Parameters:
  ///   - tokens: the sequence, n tokens.
  ///   - schedule: of at least n positions.
  ///   - scored: positions, from 1 on, whose tokens are to be scored.
  /// - Returns: one score a scored position.
  public func scores(of tokens: [Int], schedule: RopeSchedule, at scored: [Int]) throws -> [Score] {
    guard let greatest = tokens.max(), greatest < model.vocabulary else {
      throw VerifyError(model.path, "a token exceeds the vocabulary of \(model.vocabulary)")
    }
    precondition(schedule.tables.count >= tokens.count)
    precondition(scored.allSatisfy { (1..<tokens.count) ~= $0 })
    let states = run(tokens, schedule)
    var result: [Score] = []
    for start in stride(from: 0, to: scored.count, by: Self.scoredRows) {
      let block = Array(scored[start..<min(start + Self.scoredRows, scored.count)])
      let logits = self.logits(states, rows: block.map { $0 - 1 })
      for (row, position) in block.enumerated() {
        let (total, greedy) = Rows.logSumExp(logits, row: row)
        guard total.isFinite else {
          throw VerifyError(model.path, "the logits at position \(position) are not finite: a damaged weight?")
        }
        result.append(
          Score(
            logProbability: Double(logits[row, tokens[position]]) - total, greedy: greedy,
            greedyLogProbability: Double(logits[row, greedy]) - total))
      }
    }
    return result
  }

  /// The hidden states after the last layer: (n, hidden).
  private func run(_ tokens: [Int], _ schedule: RopeSchedule) -> Matrix {
    let x = embed(tokens)
    let normed = Matrix(rows: tokens.count, columns: model.hidden)
    let turns = (0..<tokens.count).map(schedule.turn)
    for layer in model.layers {
      attend(layer, x, normed, turns)
      feedForward(layer, x, normed)
    }
    return x
  }

  private func embed(_ tokens: [Int]) -> Matrix {
    let x = Matrix(rows: tokens.count, columns: model.hidden)
    for (row, token) in tokens.enumerated() {
      model.embedding.unpack(row: token, into: x, at: row)
    }
    Rows.scale(x, by: model.embeddingScale)
    return x
  }

  private func attend(
    _ layer: Transformer.Layer, _ x: Matrix, _ normed: Matrix,
    _ turns: [(cosines: [Float], sines: [Float])]
  ) {
    Rows.rmsNorm(x, layer.attentionNorm, epsilon: model.epsilon, into: normed)
    let query = project(normed, layer.query, layer.queryBias)  // (n, heads * headDim)
    let key = project(normed, layer.key, layer.keyBias)  // (n, kvHeads * headDim)
    let value = project(normed, layer.value, layer.valueBias)  // (n, kvHeads * headDim)
    if let norm = layer.queryNorm { Rows.rmsNormHeads(query, norm, epsilon: model.epsilon) }
    if let norm = layer.keyNorm { Rows.rmsNormHeads(key, norm, epsilon: model.epsilon) }
    for (row, turn) in turns.enumerated() {
      for matrix in [query, key] {
        Rows.rotate(
          matrix, row: row, headDimension: model.headDimension, cosines: turn.cosines, sines: turn.sines,
          interleaved: model.rotatesNeighbours)
      }
    }
    let mixed = Attention(model, parallel).mix(query, key, value)
    Rows.add(project(mixed, layer.attentionOutput, nil), scaled: model.residualScale, to: x)
  }

  private func feedForward(_ layer: Transformer.Layer, _ x: Matrix, _ normed: Matrix) {
    Rows.rmsNorm(x, layer.feedForwardNorm, epsilon: model.epsilon, into: normed)
    let gate = project(normed, layer.gate, nil)  // (n, feedForward)
    let up = project(normed, layer.up, nil)  // (n, feedForward)
    Rows.siluGate(gate, up)
    Rows.add(project(gate, layer.down, nil), scaled: model.residualScale, to: x)
  }

  private func project(_ x: Matrix, _ weight: Weight, _ bias: [Float]?) -> Matrix {
    let out = Matrix(rows: x.rows, columns: weight.rows)
    weight.project(x, into: out, parallel)
    if let bias { Rows.add(bias: bias, to: out) }
    return out
  }

  /// (rows, vocabulary)
  private func logits(_ states: Matrix, rows: [Int]) -> Matrix {
    let chosen = states.gathered(rows)
    let normed = Matrix(rows: rows.count, columns: model.hidden)
    Rows.rmsNorm(chosen, model.finalNorm, epsilon: model.epsilon, into: normed)
    let out = project(normed, model.output, nil)
    Rows.scale(out, by: model.logitScale)
    return out
  }
}
