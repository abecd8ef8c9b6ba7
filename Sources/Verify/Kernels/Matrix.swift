/// A row-major matrix of 32-bit floats with memory of its own.
///
/// Kernels fill disjoint parts of one matrix from several threads, which Swift's arrays do not allow.
@safe final class Matrix: @unchecked Sendable {
  // @unchecked Sendable: every concurrent use writes rows or columns that no other one touches.
  let rows: Int
  let columns: Int
  let pointer: UnsafeMutablePointer<Float>

  init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    unsafe pointer = .allocate(capacity: max(1, rows * columns))
    unsafe pointer.initialize(repeating: 0, count: max(1, rows * columns))
  }

  deinit { unsafe pointer.deallocate() }

  subscript(row: Int, column: Int) -> Float {
    get {
      precondition((0..<rows) ~= row && (0..<columns) ~= column)
      return unsafe pointer[row * columns + column]
    }
    set {
      precondition((0..<rows) ~= row && (0..<columns) ~= column)
      unsafe pointer[row * columns + column] = newValue
    }
  }

  /// Some rows of this matrix, one after another.
  func gathered(_ chosen: [Int]) -> Matrix {
    let result = Matrix(rows: chosen.count, columns: columns)
    for (row, source) in chosen.enumerated() {
      unsafe result.address(row: row).update(from: address(row: source), count: columns)
    }
    return result
  }

  /// Where a row, or a place in it, begins.
  func address(row: Int, column: Int = 0) -> UnsafeMutablePointer<Float> {
    precondition((0...rows) ~= row && (0...columns) ~= column)
    return unsafe pointer + (row * columns + column)
  }
}
