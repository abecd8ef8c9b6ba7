internal import CKernels

/// Rows of 8-bit numbers in blocks of 32, each with a scale, as the left factor of a product takes them.
@safe final class ByteMatrix: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let rows: Int
  let columns: Int
  let values: UnsafeMutablePointer<Int8>
  /// For each block its scale, and its scale times the sum of its values: (rows, columns / 16).
  let scales: Matrix

  /// - Parameter columns: a multiple of 32.
  init(rows: Int, columns: Int) {
    precondition(columns % 32 == 0)
    self.rows = rows
    self.columns = columns
    unsafe values = .allocate(capacity: max(1, rows * columns))
    scales = Matrix(rows: rows, columns: columns / 16)
  }

  deinit { unsafe values.deallocate() }
}

/// A weight of bytes, in the order that the kernels of one level read it.
@safe final class PackedBytes: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let pointer: UnsafeMutableRawPointer
  fileprivate let capacity: Int

  init(outputs: Int, inputs: Int, _ kernels: KernelTable) {
    capacity = unsafe max(1, kernels.functions.pointee.packed_int8_size(outputs, inputs))
    unsafe pointer = .allocate(byteCount: capacity, alignment: 64)
  }

  deinit { unsafe pointer.deallocate() }
}

extension WeightType {
  /// Whether products of bytes are there for it, and better than those of bf16.
  func hasByteProducts(_ kernels: KernelTable) -> Bool {
    unsafe kernels.functions.pointee.has_int8_products != 0 && [.q80, .q40, .q4K, .q5K].contains(self)
  }

  /// Packs stored rows for products of bytes.
  func pack(_ source: UnsafeRawPointer, outputs: Int, inputs: Int, into packed: PackedBytes, _ kernels: KernelTable) {
    let functions = unsafe kernels.functions.pointee
    precondition(inputs % block.elements == 0)
    let needed = unsafe functions.packed_int8_size(outputs, inputs)
    precondition(needed <= packed.capacity)
    switch self {
    case .q80: unsafe functions.pack_q8_0(source, outputs, inputs, packed.pointer)
    case .q40: unsafe functions.pack_q4_0(source, outputs, inputs, packed.pointer)
    case .q4K: unsafe functions.pack_q4_k(source, outputs, inputs, packed.pointer)
    case .q5K: unsafe functions.pack_q5_k(source, outputs, inputs, packed.pointer)
    default: preconditionFailure("\(self) has no products of bytes")
    }
  }
}

extension KernelTable {
  /// Rounds some rows of a matrix.
  func round(_ source: Matrix, rows: Range<Int>, into target: ByteMatrix) {
    precondition(target.columns == source.columns && rows.upperBound <= min(source.rows, target.rows))
    unsafe functions.pointee.round_int8(
      source.address(row: rows.lowerBound), source.columns, rows.count, source.columns,
      target.values + rows.lowerBound * target.columns, target.columns, target.scales.address(row: rows.lowerBound),
      target.scales.columns)
  }

  /// c = a * b transposed.
  func multiply(_ a: ByteMatrix, _ b: PackedBytes, into c: MatrixPart) {
    precondition(a.rows >= c.rows.count)
    precondition(unsafe functions.pointee.packed_int8_size(c.columns.count, a.columns) <= b.capacity)
    unsafe functions.pointee.matmul_int8(
      a.values, a.columns, a.scales.pointer, a.scales.columns, b.pointer, c.address, c.matrix.columns, c.rows.count,
      c.columns.count, a.columns)
  }
}
