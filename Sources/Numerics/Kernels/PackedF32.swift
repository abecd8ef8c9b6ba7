internal import CKernels

/// The right factor of a product of 32-bit floats, in the order in which the kernels read it.
@safe package final class PackedF32: @unchecked Sendable {
  // @unchecked Sendable: as Matrix.
  let pointer: UnsafeMutablePointer<Float>
  private let capacity: Int
  /// The number of inputs that are packed.
  fileprivate(set) var inputs: Int

  /// Allocates memory for `outputs` rows of `inputs` numbers.
  package init(outputs: Int, inputs: Int) {
    capacity = Self.size(outputs, inputs)
    self.inputs = inputs
    unsafe pointer = .allocateLines(capacity: capacity)
  }

  deinit { unsafe pointer.deallocate() }

  private static func size(_ outputs: Int, _ inputs: Int) -> Int {
    (outputs + 31) / 32 * 32 * inputs
  }

  fileprivate func holds(_ outputs: Int, _ inputs: Int) -> Bool {
    Self.size(outputs, inputs) <= capacity
  }
}

extension KernelTable {
  /// Whether the products of 32-bit floats are as fast as OpenBLAS's, as on all levels but the
  /// portable one.
  var hasFloatProducts: Bool { unsafe functions.pointee.has_f32_products != 0 }

  /// Packs contiguous rows at an address, with one output per row: (outputs, inputs).
  func packRows(
    at source: UnsafePointer<Float>, outputs: Int, inputs: Int, into target: PackedF32
  ) {
    precondition(target.holds(outputs, inputs))
    target.inputs = inputs
    unsafe functions.pointee.pack_rows_f32(source, inputs, outputs, inputs, target.pointer)
  }

  /// Packs a part of a matrix with one output per row: (outputs, inputs).
  package func packRows(_ source: MatrixPart, into target: PackedF32) {
    precondition(target.holds(source.rows.count, source.columns.count))
    target.inputs = source.columns.count
    unsafe functions.pointee.pack_rows_f32(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer
    )
  }

  /// Packs a part of a matrix with one output per column: (inputs, outputs).
  package func packColumns(_ source: MatrixPart, into target: PackedF32) {
    precondition(target.holds(source.columns.count, source.rows.count))
    target.inputs = source.rows.count
    unsafe functions.pointee.pack_columns_f32(
      source.address, source.matrix.columns, source.rows.count, source.columns.count, target.pointer
    )
  }

  /// Computes c(m, n) = alpha * a(m, k) * b(n, k) transposed, plus c if `accumulates` is true.
  ///
  /// `b` may have more outputs and inputs than the product takes.
  package func multiply(
    _ a: MatrixPart, _ b: PackedF32, into c: MatrixPart, alpha: Float = 1, accumulates: Bool = false
  ) {
    precondition(a.rows.count == c.rows.count && a.columns.count <= b.inputs)
    precondition(b.holds(c.columns.count, b.inputs))
    unsafe functions.pointee.matmul_f32(
      a.address, a.matrix.columns, b.pointer, b.inputs, c.address, c.matrix.columns, c.rows.count,
      c.columns.count, a.columns.count, alpha, accumulates ? 1 : 0)
  }
}
