/// A row-major matrix of 32-bit floats with memory of its own.
///
/// Kernels fill disjoint parts of one matrix from several threads, which Swift's arrays do not allow.
@safe final class Matrix: @unchecked Sendable {
  // @unchecked Sendable: every concurrent use writes rows or columns that no other one touches.
  let rows: Int
  let columns: Int
  let pointer: UnsafeMutablePointer<Float>

  /// Its numbers are unset: whoever makes one writes them before reading any.
  init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    unsafe pointer = .allocate(capacity: max(1, rows * columns))
  }

  static func zeros(rows: Int, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    unsafe matrix.pointer.update(repeating: 0, count: rows * columns)
    return matrix
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

  /// All rows of another matrix, written over those from `row` on.
  func copy(_ source: Matrix, at row: Int) {
    precondition(source.columns == columns && row + source.rows <= rows)
    unsafe address(row: row).update(from: source.pointer, count: source.rows * columns)
  }

  /// Some columns of another matrix, row by row, written over those from `column` on.
  func copy(columns chosen: Range<Int>, of source: Matrix, at column: Int) {
    precondition(source.rows == rows && chosen.upperBound <= source.columns && column + chosen.count <= columns)
    for row in 0..<rows {
      unsafe address(row: row, column: column).update(
        from: source.address(row: row, column: chosen.lowerBound), count: chosen.count)
    }
  }

  func row(_ row: Int) -> [Float] { (0..<columns).map { self[row, $0] } }

  /// Where a row, or a place in it, begins.
  func address(row: Int, column: Int = 0) -> UnsafeMutablePointer<Float> {
    precondition((0...rows) ~= row && (0...columns) ~= column)
    return unsafe pointer + (row * columns + column)
  }
}
