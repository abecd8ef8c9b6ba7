import Glibc

extension FeedForward {
  /// (rows, hidden) -> (rows, hidden)
  func callAsFunction(_ normed: Matrix, _ engine: Engine) -> Matrix {
    switch self {
    case .gated(let gate, let up, let down):
      return Self.gated(Operand(normed, engine), gate, up, down, engine)
    case .gegelu(let up, let down, let limit):
      let wide = engine.project(Operand(normed, engine), up)
      return engine.project(Operand(Self.gegelu(wide, limit, engine), engine), down)
    case .experts(let experts): return experts.mix(normed, engine)
    }
  }

  fileprivate static func gated(
    _ x: Operand, _ gate: Weight, _ up: Weight, _ down: Weight, _ engine: Engine
  ) -> Matrix {
    let activated = engine.project(x, Projection(weight: gate))  // (rows, feedForward)
    engine.siluGate(activated, engine.project(x, Projection(weight: up)))
    return engine.project(Operand(activated, engine), Projection(weight: down))
  }

  /// gelu(even) * (odd + 1), with gelu(x) = x * sigmoid(1.702 x); even ones clipped from above, odd ones from both sides.
  private static func gegelu(_ x: Matrix, _ limit: Float, _ engine: Engine) -> Matrix {
    let out = Matrix(rows: x.rows, columns: x.columns / 2)
    engine.parallel.run(rows: x.rows, by: 16) { rows in
      for row in rows {
        for column in 0..<out.columns {
          let even = min(x[row, 2 * column], limit)
          let odd = max(-limit, min(limit, x[row, 2 * column + 1]))
          out[row, column] = even / (1 + expf(-1.702 * even)) * (odd + 1)
        }
      }
    }
    return out
  }
}

extension Experts {
  /// Each expert takes the rows that chose it.
  fileprivate func mix(_ normed: Matrix, _ engine: Engine) -> Matrix {
    let out = Matrix.zeros(rows: normed.rows, columns: normed.columns)
    // The choice is discrete, so its scores are always exact.
    let scores = Matrix(rows: normed.rows, columns: router.rows)
    router.project(Operand(exact: normed), into: scores, engine)
    var chosen: [[(row: Int, weight: Float)]] = Array(repeating: [], count: experts.count)
    for row in 0..<scores.rows {
      for (expert, weight) in choose(scores.row(row)) { chosen[expert].append((row, weight)) }
    }
    for (expert, rows) in zip(experts, chosen) where !rows.isEmpty {
      let input = Operand(normed.gathered(rows.map(\.row)), engine)
      let result = FeedForward.gated(input, expert.gate, expert.up, expert.down, engine)
      for (index, (row, weight)) in rows.enumerated() {
        engine.add(result, row: index, scaled: weight, to: out, row: row)
      }
    }
    return out
  }

  /// The experts of one token and their weights.
  func choose(_ scores: [Float]) -> [(expert: Int, weight: Float)] {
    switch routing {
    case .sparseMixer(let jitter): sparseMixer(scores, jitter)
    case .softmax: softmax(scores)
    }
  }

  /// SparseMixer-v2 (arXiv 2409.12136) as it is run, without noise: the greatest score is taken, with its softmax among
  /// those within 2 * jitter of it, relatively; then the same among the rest.
  private func sparseMixer(_ scores: [Float], _ jitter: Float) -> [(expert: Int, weight: Float)] {
    var rest = scores
    return (0..<used).map { _ in
      let best = Self.greatest(rest)
      let top = rest[best]
      var total: Float = 0
      for (score, own) in zip(scores, rest) where own > -.infinity {
        let isFar = (top - score) / max(abs(score), top) > 2 * jitter
        if !isFar { total += expf(own - top) }
      }
      rest[best] = -.infinity
      return (best, 1 / total)
    }
  }

  private func softmax(_ scores: [Float]) -> [(expert: Int, weight: Float)] {
    var rest = scores
    let top = scores[Self.greatest(scores)]
    let chosen = (0..<used).map { _ in
      let best = Self.greatest(rest)
      defer { rest[best] = -.infinity }
      return (expert: best, weight: expf(scores[best] - top))
    }
    let total = chosen.reduce(0) { $0 + $1.weight }
    return chosen.map { ($0.expert, $0.weight / total) }
  }

  /// The first of the greatest.
  private static func greatest(_ scores: [Float]) -> Int {
    scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
  }
}
