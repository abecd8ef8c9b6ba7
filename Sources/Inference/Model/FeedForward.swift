import Glibc
import Numerics

extension FeedForward {
  /// Runs the feed-forward: (rows, hidden) -> (rows, hidden).
  func callAsFunction(_ normed: Matrix, _ engine: Engine) -> Matrix {
    switch self {
    case .gated(let gate, let up, let down):
      return Self.gated(Operand(normed, engine), gate, up, down, engine)
    case .gegelu(let up, let down, let limit):
      let wide = engine.project(Operand(normed, engine), up)
      return engine.project(Operand(Self.gegelu(wide, limit, engine), engine), down)
    case .experts(let experts): return experts(normed, engine)
    }
  }

  static func gated(
    _ x: Operand, _ gate: Weight, _ up: Weight, _ down: Weight, _ engine: Engine
  ) -> Matrix {
    let activated = engine.project(x, gate)  // (rows, feedForward)
    engine.swiGLU(activated, engine.project(x, up))
    return engine.project(Operand(activated, engine), down)
  }

  /// gelu(even) * (odd + 1), with gelu(x) = x * sigmoid(1.702 x).
  ///
  /// Even columns are clipped from above, odd columns from both sides. (rows, 2 * feedForward) ->
  /// (rows, feedForward)
  static func gegelu(_ x: Matrix, _ limit: Float, _ engine: Engine) -> Matrix {
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
  /// Runs each expert on the rows that chose it. (rows, hidden) -> (rows, hidden)
  fileprivate func callAsFunction(_ normed: Matrix, _ engine: Engine) -> Matrix {
    let out = Matrix.zeros(rows: normed.rows, columns: normed.columns)
    let chosen = rows(of: scores(normed, engine))
    for (expert, rows) in zip(experts, chosen) where !rows.isEmpty {
      let input = Operand(normed.gathered(rows.map(\.row)), engine)
      let result = FeedForward.gated(input, expert.gate, expert.up, expert.down, engine)
      for (index, (row, weight)) in rows.enumerated() {
        engine.add(result, row: index, scaled: weight, to: out, row: row)
      }
    }
    return out
  }

  /// The router's scores: (rows, experts).
  ///
  /// The choice is discrete, so they are always computed exactly.
  func scores(_ normed: Matrix, _ engine: Engine) -> Matrix {
    let scores = Matrix(rows: normed.rows, columns: router.rows)
    router.project(Operand(exact: normed), into: scores, engine)
    return scores
  }

  /// The rows that chose each expert, with the weights that they give it.
  func rows(of scores: Matrix) -> [[(row: Int, weight: Float)]] {
    var chosen: [[(row: Int, weight: Float)]] = Array(repeating: [], count: experts.count)
    for row in 0..<scores.rows {
      for (expert, weight) in choose(scores.row(row)) { chosen[expert].append((row, weight)) }
    }
    return chosen
  }

  /// The experts of one token, with their weights.
  func choose(_ scores: [Float]) -> [(expert: Int, weight: Float)] {
    switch routing {
    case .sparseMixer(let jitter): sparseMixer(scores, jitter)
    case .softmax: softmax(scores)
    }
  }

  /// SparseMixer-v2 without noise, as in inference: the expert with the greatest score is chosen,
  /// weighted by its softmax among the scores within a relative distance of 2 * jitter; then the
  /// same among the remaining experts.
  ///
  /// Source: arXiv 2409.12136.
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

  /// The softmax over all experts.
  ///
  /// The greatest ones are chosen, and their weights rescaled to sum to 1.
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

  /// The index of the first greatest score.
  private static func greatest(_ scores: [Float]) -> Int {
    scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
  }
}
