import Numerics

/// A normalization of each row, or of each part of a row with the length of the weight (a head).
package struct Norm: Sendable {
  package enum Kind { case rms, layer }

  var kind = Kind.rms
  var weight: [Float]
  var bias: [Float]?
  var epsilon: Float
}

extension Engine {
  /// Applies a norm.
  ///
  /// `out` may be `x`.
  func norm(_ x: Matrix, _ norm: Norm, into out: Matrix) {
    switch norm.kind {
    case .rms: rmsNorm(x, weight: norm.weight, bias: norm.bias, epsilon: norm.epsilon, into: out)
    case .layer:
      layerNorm(x, weight: norm.weight, bias: norm.bias, epsilon: norm.epsilon, into: out)
    }
  }
}
