internal import CBLAS

/// A rectangular part of a matrix.
package struct MatrixPart {
  package var matrix: Matrix
  package var rows: Range<Int>
  package var columns: Range<Int>

  package init(_ matrix: Matrix, rows: Range<Int>? = nil, columns: Range<Int>? = nil) {
    self.matrix = matrix
    self.rows = rows ?? 0..<matrix.rows
    self.columns = columns ?? 0..<matrix.columns
    precondition(self.rows.upperBound <= matrix.rows && self.columns.upperBound <= matrix.columns)
  }

  package var address: UnsafeMutablePointer<Float> { unsafe address(row: 0) }

  /// The address of the first number in a row of this part.
  package func address(row: Int) -> UnsafeMutablePointer<Float> {
    unsafe matrix.address(row: rows.lowerBound + row, column: columns.lowerBound)
  }

  fileprivate var stride: Int32 { Int32(matrix.columns) }
}

/// Matrix products by OpenBLAS, each on one thread.
///
/// `Parallel` divides the work, so that results do not depend on the number of threads.
package enum BLAS {
  private static let prepared: Void = openblas_set_num_threads(1)

  /// Computes c(m, n) = alpha * a(m, k) * b(n, k) transposed.
  package static func productTransposed(
    _ a: MatrixPart, _ b: MatrixPart, into c: MatrixPart, alpha: Float = 1
  ) {
    _ = prepared
    precondition(a.columns.count == b.columns.count)
    precondition(c.rows.count == a.rows.count && c.columns.count == b.rows.count)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(a.rows.count), Int32(b.rows.count),
      Int32(a.columns.count), alpha, a.address, a.stride, b.address, b.stride, 0, c.address,
      c.stride)
  }

  /// Computes c(m, n) = a(m, k) * b(n, k) transposed, with the rows of b contiguous at an address.
  package static func productTransposed(
    _ a: MatrixPart, rows: Int, at b: UnsafePointer<Float>, into c: MatrixPart
  ) {
    _ = prepared
    precondition(c.rows.count == a.rows.count && c.columns.count == rows)
    let width = Int32(a.columns.count)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(a.rows.count), Int32(rows), width, 1,
      a.address, a.stride, b, width, 0, c.address, c.stride)
  }

  /// Computes c(m, n) += a(m, k) * b(k, n).
  package static func addProduct(_ a: MatrixPart, _ b: MatrixPart, to c: MatrixPart) {
    _ = prepared
    precondition(a.columns.count == b.rows.count)
    precondition(c.rows.count == a.rows.count && c.columns.count == b.columns.count)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(a.rows.count), Int32(b.columns.count),
      Int32(a.columns.count), 1, a.address, a.stride, b.address, b.stride, 1, c.address, c.stride)
  }
}
