import Numerics

/// The derivatives of a loss by the rotation of each pair in one layer.
struct RotationGradient: Sendable {
  var logFrequencies: [Double]
  var logMscales: [Double]

  init(pairs: Int) {
    logFrequencies = Array(repeating: 0, count: pairs)
    logMscales = Array(repeating: 0, count: pairs)
  }

  /// Adds the part of some rotated queries or keys.
  ///
  /// A pair (x, y) is turned by the angle a = frequency * position and scaled by m. The derivative
  /// by a is x dL/dy - y dL/dx, that by log(m) is x dL/dx + y dL/dy.
  /// - Parameters:
  ///   - x: (rows, heads * headDimension), after the rotation; `gradient`: the derivative by it.
  ///   - angles: the angle of each row and pair: (rows, pairs).
  ///   - isScaled: whether the factors rotate a row: (rows).
  mutating func add(
    _ x: Matrix, _ gradient: Matrix, angles: Matrix, isScaled: [Bool], _ shape: AttentionShape,
    _ engine: Engine
  ) {
    let parts = (x.rows + Self.rows - 1) / Self.rows
    let sums = Slots<RotationGradient>(parts)
    engine.parallel.run(rows: x.rows, by: Self.rows) { rows in
      var sum = RotationGradient(pairs: angles.columns)
      for row in rows where isScaled[row] {
        engine.addRotationGradient(
          x, gradient, row: row, headDimension: shape.headDimension, offset: shape.rotaryOffset,
          angles: angles, interleaved: shape.isInterleaved, byAngle: &sum.logFrequencies,
          byScale: &sum.logMscales)
      }
      sums.set(rows.lowerBound / Self.rows, sum)
    }
    for sum in sums.values {
      for pair in logFrequencies.indices {
        logFrequencies[pair] += sum.logFrequencies[pair]
        logMscales[pair] += sum.logMscales[pair]
      }
    }
  }

  /// The number of rows that are summed together; fixed, so that no result depends on the threads.
  private static let rows = 64
}
