internal import CKernels

/// Rows of 8-bit numbers in blocks of 32 with one scale each, the left factor of a product.
@safe package final class Int8Matrix: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let rows: Int
  let columns: Int
  let values: UnsafeMutablePointer<Int8>  // (rows, columns)
  /// Two numbers for each block: its scale, and its scale times the sum of its values.
  /// (rows, columns / 16)
  let scales: Matrix

  /// - Parameter columns: a multiple of 32.
  init(rows: Int, columns: Int) {
    precondition(columns % 32 == 0)
    self.rows = rows
    self.columns = columns
    unsafe values = .allocateLines(capacity: rows * columns)
    scales = Matrix(rows: rows, columns: columns / 16)
  }

  deinit { unsafe values.deallocate() }
}

/// A weight packed for 8-bit products, in the order in which the kernels of one level read it.
@safe package final class PackedInt8: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let pointer: UnsafeMutableRawPointer
  private let capacity: Int

  init(outputs: Int, inputs: Int, _ kernels: KernelTable) {
    capacity = unsafe max(1, kernels.functions.pointee.packed_int8_size(outputs, inputs))
    unsafe pointer = UnsafeMutableRawPointer(
      UnsafeMutablePointer<UInt8>.allocateLines(capacity: capacity))
  }

  deinit { unsafe pointer.deallocate() }

  func holds(outputs: Int, inputs: Int, _ kernels: KernelTable) -> Bool {
    unsafe kernels.functions.pointee.packed_int8_size(outputs, inputs) <= capacity
  }
}

extension KernelTable {
  /// Whether products of 8-bit integers are faster than the other products.
  var hasInt8Products: Bool { unsafe functions.pointee.has_int8_products != 0 }

  /// Rounds some rows of a matrix to 8 bits, into the same rows of `target`.
  func round(_ source: Matrix, rows: Range<Int>, into target: Int8Matrix) {
    precondition(
      target.columns == source.columns && rows.upperBound <= min(source.rows, target.rows))
    unsafe functions.pointee.round_int8(
      source.address(row: rows.lowerBound), source.columns, rows.count, source.columns,
      target.values + rows.lowerBound * target.columns, target.columns,
      target.scales.address(row: rows.lowerBound), target.scales.columns)
  }

  /// Computes c(m, n) = a(m, k) * b(n, k) transposed, of the rows of `a` from `row` on.
  func multiply(_ a: Int8Matrix, from row: Int = 0, _ b: PackedInt8, into c: MatrixPart) {
    precondition(row >= 0 && a.rows - row >= c.rows.count)
    precondition(b.holds(outputs: c.columns.count, inputs: a.columns, self))
    unsafe functions.pointee.matmul_int8(
      a.values + row * a.columns, a.columns, a.scales.address(row: row), a.scales.columns,
      b.pointer, c.address, c.matrix.columns, c.rows.count, c.columns.count, a.columns)
  }
}
