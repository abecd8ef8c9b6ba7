internal import CBLAS
import Glibc

/// A rectangle of a matrix.
struct MatrixPart {
  var matrix: Matrix
  var rows: Range<Int>
  var columns: Range<Int>

  init(_ matrix: Matrix, rows: Range<Int>? = nil, columns: Range<Int>? = nil) {
    self.matrix = matrix
    self.rows = rows ?? 0..<matrix.rows
    self.columns = columns ?? 0..<matrix.columns
    precondition(self.rows.upperBound <= matrix.rows && self.columns.upperBound <= matrix.columns)
  }

  var address: UnsafeMutablePointer<Float> { unsafe address(row: 0) }

  /// Where a row of this part begins.
  func address(row: Int) -> UnsafeMutablePointer<Float> {
    unsafe matrix.address(row: rows.lowerBound + row, column: columns.lowerBound)
  }

  fileprivate var stride: Int32 { Int32(matrix.columns) }
}

/// OpenBLAS's matrix products, single-threaded: the threads are ours, so that results do not depend on their number.
enum BLAS {
  private static let prepared: Void = openblas_set_num_threads(1)

  /// c(m, n) = alpha * a(m, k) * b(n, k) transposed.
  static func productTransposed(_ a: MatrixPart, _ b: MatrixPart, into c: MatrixPart, alpha: Float = 1) {
    _ = prepared
    precondition(a.columns.count == b.columns.count)
    precondition(c.rows.count == a.rows.count && c.columns.count == b.rows.count)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(a.rows.count), Int32(b.rows.count), Int32(a.columns.count),
      alpha, a.address, a.stride, b.address, b.stride, 0, c.address, c.stride)
  }

  /// The same with b's numbers, row by row, at an address of their own.
  static func productTransposed(
    _ a: MatrixPart, rows: Int, at b: UnsafePointer<Float>, into c: MatrixPart
  ) {
    _ = prepared
    precondition(c.rows.count == a.rows.count && c.columns.count == rows)
    let width = Int32(a.columns.count)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(a.rows.count), Int32(rows), width, 1, a.address, a.stride, b,
      width, 0, c.address, c.stride)
  }

  /// c(m, n) += a(m, k) * b(k, n)
  static func addProduct(_ a: MatrixPart, _ b: MatrixPart, to c: MatrixPart) {
    _ = prepared
    precondition(a.columns.count == b.rows.count)
    precondition(c.rows.count == a.rows.count && c.columns.count == b.columns.count)
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(a.rows.count), Int32(b.columns.count),
      Int32(a.columns.count), 1, a.address, a.stride, b.address, b.stride, 1, c.address, c.stride)
  }
}

/// Equations with a positive symmetric matrix, by LAPACK.
package enum Cholesky {
  /// - Returns: the solution of `matrix` x = `right`, and the logarithm of the determinant; nil where the matrix is not
  ///   positive.
  package static func solve(_ matrix: [[Double]], _ right: [Double]) -> (x: [Double], logDeterminant: Double)? {
    let count = matrix.count
    guard count > 0 else { return nil }
    var (elements, x) = (matrix.flatMap(\.self), right)
    var (size, one, info) = (Int32(count), Int32(1), Int32(0))
    unsafe dposv_("U", &size, &one, &elements, &size, &x, &size, &info)
    guard info == 0 else { return nil }
    return (x, (0..<count).reduce(0) { $0 + 2 * log(elements[$1 * count + $1]) })
  }
}

/// Eigenvectors by LAPACK.
package enum Eigenvectors {
  /// Of a symmetric matrix of any size, of which the lower half counts.
  /// - Returns: eigenvalues in ascending order, and for each its vector of length 1.
  package static func symmetric(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let count = matrix.count
    guard count > 0 else { return ([], []) }
    var (elements, values) = (matrix.flatMap(\.self), Array(repeating: 0.0, count: count))
    var work = Array(repeating: 0.0, count: 8 * count)
    var (size, room, info) = (Int32(count), Int32(8 * count), Int32(0))
    // Columns for LAPACK are rows here, so its upper half is the lower one.
    unsafe dsyev_("V", "U", &size, &elements, &size, &values, &work, &room, &info)
    precondition(info == 0, "a covariance with numbers that are none")
    return (values, (0..<count).map { Array(elements[$0 * count..<($0 + 1) * count]) })
  }
}
