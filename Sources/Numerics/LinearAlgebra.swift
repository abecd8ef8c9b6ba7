internal import CBLAS
import Glibc

/// Linear equations with a symmetric positive definite matrix, solved by LAPACK.
package enum Cholesky {
  /// Solves `matrix` x = `right`.
  /// - Returns: x, and the logarithm of the determinant; nil if the matrix is not positive
  ///   definite.
  package static func solve(
    _ matrix: [[Double]], _ right: [Double]
  ) -> (x: [Double], logDeterminant: Double)? {
    let count = matrix.count
    guard count > 0 else { return nil }
    var (elements, x) = (matrix.flatMap(\.self), right)
    var (size, one, info) = (Int32(count), Int32(1), Int32(0))
    unsafe dposv_("U", &size, &one, &elements, &size, &x, &size, &info)
    guard info == 0 else { return nil }
    return (x, (0..<count).reduce(0) { $0 + 2 * log(elements[$1 * count + $1]) })
  }
}

/// Eigenvectors, computed by LAPACK.
package enum Eigenvectors {
  /// The eigenvalues and eigenvectors of a symmetric matrix.
  ///
  /// Only the lower half is read.
  /// - Returns: the eigenvalues in ascending order, and the eigenvectors of length 1, one per row.
  package static func symmetric(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let count = matrix.count
    guard count > 0 else { return ([], []) }
    var (elements, values) = (matrix.flatMap(\.self), Array(repeating: 0.0, count: count))
    var work = Array(repeating: 0.0, count: 8 * count)
    var (size, room, info) = (Int32(count), Int32(8 * count), Int32(0))
    // LAPACK reads rows as columns, so its upper half is the lower half here.
    unsafe dsyev_("V", "U", &size, &elements, &size, &values, &work, &room, &info)
    precondition(info == 0, "the matrix contains NaN or infinity")
    return (values, (0..<count).map { Array(elements[$0 * count..<($0 + 1) * count]) })
  }
}
