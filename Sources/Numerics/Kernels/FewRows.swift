internal import CKernels

/// Products of few rows, computed row by row without packing.
extension KernelTable {
  /// Computes c(m, n) = alpha * a(m, k) * b(n, k) transposed.
  package func multiplyRows(_ a: MatrixPart, _ b: MatrixPart, into c: MatrixPart, alpha: Float) {
    precondition(a.columns.count == b.columns.count)
    precondition(c.rows.count == a.rows.count && c.columns.count == b.rows.count)
    for row in 0..<a.rows.count {
      unsafe functions.pointee.dot_rows(
        a.address(row: row), b.address, b.matrix.columns, b.rows.count, b.columns.count,
        c.address(row: row))
      unsafe functions.pointee.scale_all(c.address(row: row), alpha, c.columns.count)
    }
  }

  /// Computes c(m, n) += a(m, k) * b(k, n).
  package func addRows(_ a: MatrixPart, _ b: MatrixPart, to c: MatrixPart) {
    precondition(a.columns.count == b.rows.count)
    precondition(c.rows.count == a.rows.count && c.columns.count == b.columns.count)
    for row in 0..<a.rows.count {
      for index in 0..<b.rows.count {
        unsafe functions.pointee.add_scaled(
          c.address(row: row), b.address(row: index), a.address(row: row)[index], b.columns.count)
      }
    }
  }
}
