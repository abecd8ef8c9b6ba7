internal import CKernels

/// The row-wise kernels, with shapes checked.
enum Rows {
  /// (rows, width) -> (rows, width); `weight` has `width` numbers.
  static func rmsNorm(_ x: Matrix, _ weight: [Float], epsilon: Float, into out: Matrix) {
    precondition(x.rows == out.rows && x.columns == out.columns && weight.count == x.columns)
    unsafe rms_norm(x.pointer, weight, epsilon, x.rows, x.columns, out.pointer)
  }

  /// The same over each head of every row: (rows, heads * weight.count), in place.
  static func rmsNormHeads(_ x: Matrix, _ weight: [Float], epsilon: Float) {
    precondition(x.columns % weight.count == 0)
    unsafe rms_norm(
      x.pointer, weight, epsilon, x.rows * x.columns / weight.count, weight.count, x.pointer)
  }

  /// gate = silu(gate) * up
  static func siluGate(_ gate: Matrix, _ up: Matrix) {
    precondition(gate.rows == up.rows && gate.columns == up.columns)
    unsafe silu_gate(gate.pointer, up.pointer, gate.rows * gate.columns)
  }

  /// x += y * scale
  static func add(_ y: Matrix, scaled scale: Float, to x: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    unsafe add_scaled(x.pointer, y.pointer, scale, x.rows * x.columns)
  }

  /// x *= factor
  static func scale(_ x: Matrix, by factor: Float) {
    if factor != 1 { unsafe scale_all(x.pointer, factor, x.rows * x.columns) }
  }

  /// Adds one row to every row.
  static func add(bias: [Float], to x: Matrix) {
    precondition(bias.count == x.columns)
    for row in 0..<x.rows { unsafe add_scaled(x.address(row: row), bias, 1, bias.count) }
  }

  /// Rotates the first `2 * cosines.count` dimensions of each head of one row.
  static func rotate(
    _ x: Matrix, row: Int, headDimension: Int, cosines: [Float], sines: [Float], interleaved: Bool
  ) {
    precondition(cosines.count == sines.count && 2 * cosines.count <= headDimension)
    for start in stride(from: 0, to: x.columns, by: headDimension) {
      unsafe rotate_head(
        x.address(row: row, column: start), cosines, sines, cosines.count, interleaved ? 1 : 0)
    }
  }

  /// Softmax of `visible` numbers from `first` on; zeros elsewhere.
  static func softmax(_ x: Matrix, row: Int, first: Int, visible: Int) {
    precondition(first >= 0 && visible > 0 && first + visible <= x.columns)
    for column in 0..<first { x[row, column] = 0 }
    unsafe softmax_row(x.address(row: row, column: first), visible, x.columns - first)
  }

  /// log(sum(exp(row))) and the column of the greatest number.
  static func logSumExp(_ x: Matrix, row: Int) -> (value: Double, greatest: Int) {
    var greatest = 0
    let value = unsafe log_sum_exp(x.address(row: row), x.columns, &greatest)
    return (value, greatest)
  }
}
