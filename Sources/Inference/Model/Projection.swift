package import Numerics

/// A linear map: x * weight transposed + bias.
package struct Projection: Sendable {
  package var weight: Weight  // (outputs, inputs)
  var bias: [Float]?  // (outputs)

  init(weight: Weight, bias: [Float]? = nil) {
    self.weight = weight
    self.bias = bias
  }

  /// The projection to some of the outputs.
  func part(_ range: Range<Int>) -> Projection {
    Projection(weight: weight.part(range), bias: bias.map { Array($0[range]) })
  }
}

extension Engine {
  /// Applies a projection: (rows, inputs) -> (rows, outputs).
  func project(_ x: Operand, _ projection: Projection) -> Matrix {
    project(x, projection.weight, bias: projection.bias)
  }
}
