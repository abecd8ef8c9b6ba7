import Numerics

extension Engine {
  /// The derivative of a norm: `gradient` comes as the derivative of a loss by the norm's output and
  /// leaves as that by its input `x`.
  func normGradient(_ x: Matrix, _ norm: Norm, _ gradient: Matrix) {
    switch norm.kind {
    case .rms: rmsNormGradient(x, weight: norm.weight, epsilon: norm.epsilon, gradient)
    case .layer: layerNormGradient(x, weight: norm.weight, epsilon: norm.epsilon, gradient)
    }
  }

  /// A copy of a matrix times a factor.
  func scaled(_ x: Matrix, by factor: Float) -> Matrix {
    let copy = Matrix(rows: x.rows, columns: x.columns)
    copy.copy(x, at: 0)
    scale(copy, by: factor)
    return copy
  }

  /// The derivative of a projection by its input: (rows, outputs) -> (rows, inputs).
  func projectBack(_ gradient: Matrix, _ weight: Weight) -> Matrix {
    let out = Matrix.zeros(rows: gradient.rows, columns: weight.columns)
    weight.projectBack(gradient, into: out, self)
    return out
  }
}
