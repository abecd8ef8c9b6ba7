internal import CKernels

/// The right factor of a product of 32-bit floats, in the order that the kernels read it.
@safe final class PackedFloats: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let pointer: UnsafeMutablePointer<Float>
  private let capacity: Int

  /// Room for `outputs` of `inputs` numbers.
  init(outputs: Int, inputs: Int) {
    capacity = Self.size(outputs, inputs)
    unsafe pointer = .allocate(capacity: max(1, capacity))
  }

  deinit { unsafe pointer.deallocate() }

  private static func size(_ outputs: Int, _ inputs: Int) -> Int { (outputs + 31) / 32 * 32 * inputs }

  fileprivate func holds(_ outputs: Int, _ inputs: Int) -> Bool { Self.size(outputs, inputs) <= capacity }
}

extension KernelTable {
  /// Whether the kernels' products of 32-bit floats are the fastest; elsewhere OpenBLAS's are.
  var hasFloatProducts: Bool { unsafe functions.pointee.has_f32_products != 0 }

  /// Packs rows at an address of their own, each of which is one output.
  func packRows(at source: UnsafePointer<Float>, outputs: Int, inputs: Int, into target: PackedFloats) {
    precondition(target.holds(outputs, inputs))
    unsafe functions.pointee.pack_rows_f32(source, inputs, outputs, inputs, target.pointer)
  }

  func packRows(_ source: MatrixPart, into target: PackedFloats) {
    precondition(target.holds(source.rows.count, source.columns.count))
    unsafe functions.pointee.pack_rows_f32(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer)
  }

  /// Packs columns, each of which is one output.
  func packColumns(_ source: MatrixPart, into target: PackedFloats) {
    precondition(target.holds(source.columns.count, source.rows.count))
    unsafe functions.pointee.pack_columns_f32(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer)
  }

  /// c = alpha * a * b transposed, or c += it.
  func multiply(
    _ a: MatrixPart, _ b: PackedFloats, into c: MatrixPart, alpha: Float = 1, accumulates: Bool = false
  ) {
    precondition(a.rows.count == c.rows.count && b.holds(c.columns.count, a.columns.count))
    unsafe functions.pointee.matmul_f32(
      a.address, a.matrix.columns, b.pointer, c.address, c.matrix.columns, c.rows.count, c.columns.count,
      a.columns.count, alpha, accumulates ? 1 : 0)
  }
}
