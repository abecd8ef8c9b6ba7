import Glibc
import Numerics

extension FeedForward {
  /// The derivative by the input, from that by the output: (rows, hidden) -> (rows, hidden).
  func gradient(_ normed: Matrix, _ gradient: Matrix, _ engine: Engine) -> Matrix {
    switch self {
    case .gated(let gate, let up, let down):
      return Self.gatedGradient(normed, gradient, gate, up, down, engine)
    case .gegelu(let up, let down, let limit):
      let wide = engine.project(Operand(normed, engine), up)
      let inner = engine.projectBack(gradient, down.weight)
      Self.gegeluGradient(wide, inner, limit, engine)
      return engine.projectBack(wide, up.weight)
    case .experts(let experts): return experts.gradient(normed, gradient, engine)
    }
  }

  fileprivate static func gatedGradient(
    _ normed: Matrix, _ gradient: Matrix, _ gate: Weight, _ up: Weight, _ down: Weight,
    _ engine: Engine
  ) -> Matrix {
    let input = Operand(normed, engine)
    let gated = engine.project(input, gate)  // (rows, feedForward)
    let raised = engine.project(input, up)
    engine.swiGLUGradient(gated, raised, engine.projectBack(gradient, down))
    let result = engine.projectBack(gated, gate)
    up.projectBack(raised, into: result, engine)
    return result
  }

  /// Replaces the input of `gegelu` by the derivative by it.
  /// - Parameters:
  ///   - x: (rows, 2 * feedForward).
  ///   - gradient: the derivative by the output: (rows, feedForward).
  private static func gegeluGradient(
    _ x: Matrix, _ gradient: Matrix, _ limit: Float, _ engine: Engine
  ) {
    engine.parallel.run(rows: x.rows, by: 16) { rows in
      for row in rows {
        for column in 0..<gradient.columns {
          let (gate, up) = (x[row, 2 * column], x[row, 2 * column + 1])
          let even = min(gate, limit)
          let odd = max(-limit, min(limit, up))
          let share = 1 / (1 + expf(-1.702 * even))
          let slope = share * (1 + 1.702 * even * (1 - share))
          let own = gradient[row, column]
          x[row, 2 * column] = gate > limit ? 0 : own * slope * (odd + 1)
          x[row, 2 * column + 1] = abs(up) > limit ? 0 : own * even * share
        }
      }
    }
  }
}

extension Experts {
  /// The derivative by the input, from that by the output.
  ///
  /// The choice of experts is taken as constant, their weights are not.
  fileprivate func gradient(_ normed: Matrix, _ gradient: Matrix, _ engine: Engine) -> Matrix {
    let out = Matrix.zeros(rows: normed.rows, columns: normed.columns)
    let scores = scores(normed, engine)
    let slopes = Matrix.zeros(rows: scores.rows, columns: scores.columns)
    for (number, rows) in self.rows(of: scores).enumerated() where !rows.isEmpty {
      let expert = experts[number]
      let input = normed.gathered(rows.map(\.row))
      let own = gradient.gathered(rows.map(\.row))
      let result = FeedForward.gated(
        Operand(input, engine), expert.gate, expert.up, expert.down, engine)
      for (index, (row, weight)) in rows.enumerated() {
        slopes[row, number] = (0..<own.columns).reduce(0) {
          $0 + own[index, $1] * result[index, $1]
        }
        for column in 0..<own.columns { own[index, column] *= weight }
      }
      let back = FeedForward.gatedGradient(
        input, own, expert.gate, expert.up, expert.down, engine)
      for (index, (row, _)) in rows.enumerated() {
        engine.add(back, row: index, scaled: 1, to: out, row: row)
      }
    }
    for row in 0..<scores.rows {
      let back = scoreGradient(scores.row(row), slopes.row(row))
      for (expert, slope) in back.enumerated() { slopes[row, expert] = slope }
    }
    router.projectBack(slopes, into: out, engine)
    return out
  }

  /// The derivative by a token's scores, from that by the weights of its experts: (experts).
  private func scoreGradient(_ scores: [Float], _ slopes: [Float]) -> [Float] {
    var result = Array(repeating: Float(0), count: scores.count)
    for (expert, shares) in zip(choose(scores), sharesOfChosen(scores)) {
      // The weight is the expert's share in a softmax over `shares`.
      for (other, share) in shares {
        let own: Float = other == expert.expert ? 1 : 0
        result[other] += slopes[expert.expert] * expert.weight * (own - share)
      }
    }
    return result
  }

  /// For each expert of a token, the softmax in which its weight is its share.
  private func sharesOfChosen(_ scores: [Float]) -> [[(expert: Int, share: Float)]] {
    let chosen = choose(scores)
    switch routing {
    case .softmax: return chosen.map { _ in chosen.map { ($0.expert, $0.weight) } }
    case .sparseMixer(let jitter):
      var rest = Set(scores.indices)
      return chosen.map { own in
        let top = scores[own.expert]
        let near = rest.filter { (top - scores[$0]) / max(abs(scores[$0]), top) <= 2 * jitter }
        rest.remove(own.expert)
        return near.sorted().map { ($0, expf(scores[$0] - top) * own.weight) }
      }
    }
  }
}
