/// A row-major matrix of 32-bit floats.
///
/// Kernels fill disjoint parts of one matrix from several threads, which Swift's arrays do not
/// allow.
@safe package final class Matrix: @unchecked Sendable {
  // @unchecked Sendable: concurrent uses write disjoint rows or columns.
  package let rows: Int
  package let columns: Int
  let pointer: UnsafeMutablePointer<Float>
  /// The matrix whose memory this one shares; nil if it has its own.
  private let owner: Matrix?

  /// Allocates a matrix without initializing it.
  ///
  /// The caller must write each number before reading it.
  package init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    unsafe pointer = BufferPool.shared.take(rows * columns)
    owner = nil
  }

  /// Some rows of a matrix, in the same memory.
  package init(sharing owner: Matrix, rows: Range<Int>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= owner.rows)
    self.rows = rows.count
    columns = owner.columns
    unsafe pointer = owner.pointer + rows.lowerBound * owner.columns
    self.owner = owner
  }

  /// A matrix of zeros.
  package static func zeros(rows: Int, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    unsafe matrix.pointer.update(repeating: 0, count: rows * columns)
    return matrix
  }

  deinit {
    if owner == nil { unsafe BufferPool.shared.give(pointer, rows * columns) }
  }

  package subscript(row: Int, column: Int) -> Float {
    get {
      precondition((0..<rows) ~= row && (0..<columns) ~= column)
      return unsafe pointer[row * columns + column]
    }
    set {
      precondition((0..<rows) ~= row && (0..<columns) ~= column)
      unsafe pointer[row * columns + column] = newValue
    }
  }

  /// A copy of some rows, in the given order.
  package func gathered(_ chosen: [Int]) -> Matrix {
    let result = Matrix(rows: chosen.count, columns: columns)
    for (row, source) in chosen.enumerated() {
      unsafe result.address(row: row).update(from: address(row: source), count: columns)
    }
    return result
  }

  /// Copies all rows of another matrix over the rows from `row` on.
  package func copy(_ source: Matrix, at row: Int) {
    precondition(source.columns == columns && row + source.rows <= rows)
    unsafe address(row: row).update(from: source.pointer, count: source.rows * columns)
  }

  /// Copies some columns of another matrix over the columns from `column` on.
  package func copy(columns chosen: Range<Int>, of source: Matrix, at column: Int) {
    precondition(
      source.rows == rows && chosen.upperBound <= source.columns && column + chosen.count <= columns
    )
    for row in 0..<rows {
      unsafe address(row: row, column: column).update(
        from: source.address(row: row, column: chosen.lowerBound), count: chosen.count)
    }
  }

  /// A copy of a part with rows and columns exchanged.
  package static func transposed(_ part: MatrixPart) -> Matrix {
    let result = Matrix(rows: part.columns.count, columns: part.rows.count)
    for row in 0..<part.rows.count {
      let source = unsafe part.address(row: row)
      for column in 0..<part.columns.count {
        unsafe result.pointer[column * result.columns + row] = source[column]
      }
    }
    return result
  }

  /// Adds a part with rows and columns exchanged to the numbers from (row, column) on.
  package func addTransposed(_ part: MatrixPart, atRow row: Int, column: Int) {
    precondition(row + part.columns.count <= rows && column + part.rows.count <= columns)
    for index in 0..<part.rows.count {
      let source = unsafe part.address(row: index)
      let target = unsafe address(row: row, column: column + index)
      for other in 0..<part.columns.count { unsafe target[other * columns] += source[other] }
    }
  }

  /// A copy of one row.
  package func row(_ row: Int) -> [Float] { (0..<columns).map { self[row, $0] } }

  /// The address of a number.
  package func address(row: Int, column: Int = 0) -> UnsafeMutablePointer<Float> {
    precondition((0...rows) ~= row && (0...columns) ~= column)
    return unsafe pointer + (row * columns + column)
  }
}
