internal import CKernels

/// Rows of bf16 numbers, as the left factor of a product takes them.
@safe final class HalfMatrix: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let rows: Int
  let columns: Int
  /// Rows are padded to an even length.
  let stride: Int
  let pointer: UnsafeMutablePointer<UInt16>

  init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    stride = (columns + 1) & ~1
    unsafe pointer = .allocate(capacity: max(1, rows * stride))
  }

  deinit { unsafe pointer.deallocate() }

  func address(row: Int) -> UnsafeMutablePointer<UInt16> {
    precondition((0...rows) ~= row)
    return unsafe pointer + row * stride
  }
}

/// The right factor of a product, in the order that the kernels of one level read it.
@safe final class PackedMatrix: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let pointer: UnsafeMutablePointer<UInt16>
  private let capacity: Int

  /// Room for `outputs` of `inputs` numbers.
  init(outputs: Int, inputs: Int, _ kernels: KernelTable) {
    capacity = unsafe max(1, kernels.functions.pointee.packed_size(outputs, inputs))
    unsafe pointer = .allocate(capacity: capacity)
  }

  deinit { unsafe pointer.deallocate() }

  func holds(outputs: Int, inputs: Int, _ kernels: KernelTable) -> Bool {
    unsafe kernels.functions.pointee.packed_size(outputs, inputs) <= capacity
  }
}

extension KernelTable {
  /// Rounds a part of a matrix.
  func round(_ source: MatrixPart, into target: HalfMatrix, at row: Int = 0) {
    precondition(target.columns == source.columns.count && row + source.rows.count <= target.rows)
    unsafe functions.pointee.round_bf16(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.address(row: row),
      target.stride)
  }

  /// Packs rows, each of which is one output.
  func packRows(_ source: MatrixPart, into target: PackedMatrix) {
    precondition(target.holds(outputs: source.rows.count, inputs: source.columns.count, self))
    unsafe functions.pointee.pack_rows(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer)
  }

  /// Packs columns, each of which is one output.
  func packColumns(_ source: MatrixPart, into target: PackedMatrix) {
    precondition(target.holds(outputs: source.columns.count, inputs: source.rows.count, self))
    unsafe functions.pointee.pack_columns(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer)
  }

  /// c = alpha * a * b transposed, or c += it. The part of `c` says how many rows and outputs.
  func multiply(
    _ a: HalfMatrix, inputs: Int, _ b: PackedMatrix, into c: MatrixPart, alpha: Float = 1, accumulates: Bool = false
  ) {
    precondition(a.rows >= c.rows.count && a.columns >= inputs)
    precondition(b.holds(outputs: c.columns.count, inputs: inputs, self))
    unsafe functions.pointee.matmul_bf16(
      a.pointer, a.stride, b.pointer, c.address, c.matrix.columns, c.rows.count, c.columns.count, inputs, alpha,
      accumulates ? 1 : 0)
  }
}
