internal import CKernels

/// Rows of bf16 numbers, the left factor of a product: (rows, stride).
@safe package final class BF16Matrix: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  package let rows: Int
  package let columns: Int
  /// The length of a row, padded to an even number.
  package let stride: Int
  let pointer: UnsafeMutablePointer<UInt16>

  package init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    stride = (columns + 1) & ~1
    unsafe pointer = .allocateLines(capacity: rows * stride)
  }

  deinit { unsafe pointer.deallocate() }

  package func address(row: Int) -> UnsafeMutablePointer<UInt16> {
    precondition((0...rows) ~= row)
    return unsafe pointer + row * stride
  }
}

/// The right factor of a product in bf16, in the order in which the kernels of one level read it.
@safe package final class PackedBF16: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let pointer: UnsafeMutablePointer<UInt16>
  private let capacity: Int
  /// The number of inputs that are packed.
  fileprivate(set) var inputs: Int

  /// Allocates memory for `outputs` rows of `inputs` numbers.
  package init(outputs: Int, inputs: Int, _ kernels: KernelTable) {
    self.inputs = inputs
    capacity = unsafe max(1, kernels.functions.pointee.packed_size(outputs, inputs))
    unsafe pointer = .allocateLines(capacity: capacity)
  }

  deinit { unsafe pointer.deallocate() }

  /// Whether there is enough memory for `outputs` rows of `inputs` numbers.
  package func holds(outputs: Int, inputs: Int, _ kernels: KernelTable) -> Bool {
    unsafe kernels.functions.pointee.packed_size(outputs, inputs) <= capacity
  }
}

extension KernelTable {
  /// Rounds a part of a matrix to bf16, into the rows from `row` on.
  package func round(_ source: MatrixPart, into target: BF16Matrix, at row: Int = 0) {
    precondition(target.columns >= source.columns.count && row + source.rows.count <= target.rows)
    unsafe functions.pointee.round_bf16(
      source.address, source.matrix.columns, source.rows.count, source.columns.count,
      target.address(row: row), target.stride)
  }

  /// Packs a part of a matrix with one output per row: (outputs, inputs).
  package func packRows(_ source: MatrixPart, into target: PackedBF16) {
    precondition(target.holds(outputs: source.rows.count, inputs: source.columns.count, self))
    target.inputs = source.columns.count
    unsafe functions.pointee.pack_rows(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer
    )
  }

  /// Packs a part of a matrix with one output per column: (inputs, outputs).
  package func packColumns(_ source: MatrixPart, into target: PackedBF16) {
    precondition(target.holds(outputs: source.columns.count, inputs: source.rows.count, self))
    target.inputs = source.rows.count
    unsafe functions.pointee.pack_columns(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer
    )
  }

  /// Computes c(m, n) = alpha * a(m, inputs) * b(n, inputs) transposed, plus c if `accumulates` is
  /// true; of the rows of `a` from `row` on.
  ///
  /// `b` may have more outputs and inputs than the product takes.
  package func multiply(
    _ a: BF16Matrix, from row: Int = 0, inputs: Int, _ b: PackedBF16, into c: MatrixPart,
    alpha: Float = 1,
    accumulates: Bool = false
  ) {
    precondition(row >= 0 && a.rows - row >= c.rows.count && a.columns >= inputs)
    precondition(inputs <= b.inputs)
    precondition(b.holds(outputs: c.columns.count, inputs: b.inputs, self))
    unsafe functions.pointee.matmul_bf16(
      a.address(row: row), a.stride, b.pointer, b.inputs, c.address, c.matrix.columns, c.rows.count,
      c.columns.count, inputs, alpha, accumulates ? 1 : 0)
  }
}
