internal import CKernels

// Derivatives of the row-wise operations. A gradient comes as the derivative of a loss by an
// operation's output, and leaves as that by its input.
extension Engine {
  /// The derivative of `rmsNorm`; `gradient`: (rows, parts * width).
  /// - Parameter x: the input of the norm.
  package func rmsNormGradient(_ x: Matrix, weight: [Float], epsilon: Float, _ gradient: Matrix) {
    unsafe forEachRow(of: x, gradient) { from, to, rows in
      unsafe kernels.functions.pointee.rms_norm_gradient(
        from, weight, epsilon, rows * (x.columns / weight.count), weight.count, to)
    }
  }

  /// The derivative of `layerNorm`; `gradient`: (rows, parts * width).
  /// - Parameter x: the input of the norm.
  package func layerNormGradient(_ x: Matrix, weight: [Float], epsilon: Float, _ gradient: Matrix) {
    unsafe forEachRow(of: x, gradient) { from, to, rows in
      unsafe kernels.functions.pointee.layer_norm_gradient(
        from, weight, epsilon, rows * (x.columns / weight.count), weight.count, to)
    }
  }

  /// The derivative of `swiGLU`: replaces the inputs `gate` and `up` by the derivatives by them.
  package func swiGLUGradient(_ gate: Matrix, _ up: Matrix, _ gradient: Matrix) {
    precondition(gate.columns == up.columns && gate.rows == up.rows)
    precondition(gate.columns == gradient.columns && gate.rows == gradient.rows)
    parallel.run(rows: gate.rows, by: Self.gradientRows) { rows in
      unsafe kernels.functions.pointee.silu_gate_gradient(
        gate.address(row: rows.lowerBound), up.address(row: rows.lowerBound),
        gradient.address(row: rows.lowerBound), rows.count * gate.columns)
    }
  }

  /// Adds the derivatives by the rotation of one row, by the pairs of all heads.
  ///
  /// A pair (x, y) is turned by an angle and scaled. The derivative by the angle is
  /// x dL/dy - y dL/dx, that by the logarithm of the scale is x dL/dx + y dL/dy.
  /// - Parameters:
  ///   - x: (rows, heads * headDimension), after the rotation; `gradient`: the derivative by it.
  ///   - offset: the first rotated dimension of a head.
  ///   - angles: (rows, pairs).
  ///   - byAngle: the derivative by each angle, times the angle, is added: (pairs).
  ///   - byScale: the derivative by the logarithm of each scale is added: (pairs).
  package func addRotationGradient(
    _ x: Matrix, _ gradient: Matrix, row: Int, headDimension: Int, offset: Int, angles: Matrix,
    interleaved: Bool, byAngle: inout [Double], byScale: inout [Double]
  ) {
    let pairs = angles.columns
    let (step, far) = interleaved ? (2, 1) : (1, pairs)
    precondition(offset + 2 * pairs <= headDimension && x.columns % headDimension == 0)
    precondition(x.columns == gradient.columns && byAngle.count == pairs && byScale.count == pairs)
    let angle = unsafe angles.address(row: row)
    for head in stride(from: offset, to: x.columns, by: headDimension) {
      let values = unsafe x.address(row: row, column: head)
      let slopes = unsafe gradient.address(row: row, column: head)
      for pair in 0..<pairs {
        let (first, second) = (pair * step, pair * step + far)
        let (a, b) = unsafe (Double(values[first]), Double(values[second]))
        let (da, db) = unsafe (Double(slopes[first]), Double(slopes[second]))
        byAngle[pair] += unsafe Double(angle[pair]) * (a * db - b * da)
        byScale[pair] += a * da + b * db
      }
    }
  }

  private static let gradientRows = 64

  private func forEachRow(
    of x: Matrix, _ gradient: Matrix,
    _ work: @Sendable (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) {
    precondition(x.rows == gradient.rows && x.columns == gradient.columns)
    parallel.run(rows: x.rows, by: Self.gradientRows) { rows in
      unsafe work(
        x.address(row: rows.lowerBound), gradient.address(row: rows.lowerBound), rows.count)
    }
  }
}

extension KernelTable {
  /// The product of each row of one matrix with the same row of another.
  package func rowProducts(_ a: MatrixPart, _ b: MatrixPart) -> [Float] {
    precondition(a.rows.count == b.rows.count && a.columns.count == b.columns.count)
    return (0..<a.rows.count).map { row in
      var product: Float = 0
      unsafe functions.pointee.dot_rows(
        a.address(row: row), b.address(row: row), a.columns.count, 1, a.columns.count, &product)
      return product
    }
  }

  /// Replaces a row of scores by exp(score - logSum), its softmax.
  package func softmax(_ x: Matrix, row: Int, logSum: Float) {
    var softmax = RunningSoftmax(logSums: [logSum])
    softmax.last[0] = Int32(x.columns)
    let scores = MatrixPart(x, rows: row..<row + 1)
    step(&softmax, scores, into: MatrixPart(x, rows: row..<row + 1, columns: 0..<0))
  }

  /// The derivative of a softmax: gradient = probabilities * (gradient - sums[row]) * scale.
  /// - Parameter sums: the sum of probabilities * gradient over the whole row of each query.
  package func softmaxGradient(
    _ probabilities: MatrixPart, _ gradient: MatrixPart, sums: [Float], scale: Float
  ) {
    precondition(
      probabilities.rows.count == gradient.rows.count && sums.count == gradient.rows.count
        && probabilities.columns.count == gradient.columns.count)
    unsafe functions.pointee.softmax_gradient(
      probabilities.address, probabilities.matrix.columns, gradient.address,
      gradient.matrix.columns, gradient.rows.count, gradient.columns.count, sums, scale)
  }
}
