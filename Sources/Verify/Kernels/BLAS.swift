internal import CBLAS

/// OpenBLAS's matrix products, single-threaded: the threads are ours, so that results do not depend on their number.
enum BLAS {
  private static let prepared: Void = openblas_set_num_threads(1)

  /// c(m, n) = alpha * a(m, k) * b(n, k) transposed. Strides are the distances between rows, in elements.
  static func productTransposed(
    _ a: UnsafePointer<Float>, stride aStride: Int, _ b: UnsafePointer<Float>, stride bStride: Int,
    into c: UnsafeMutablePointer<Float>, stride cStride: Int, m: Int, n: Int, k: Int, alpha: Float = 1
  ) {
    _ = prepared
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(aStride), b,
      Int32(bStride), 0, c, Int32(cStride))
  }

  /// c(m, n) = a(m, k) * b(k, n)
  static func product(
    _ a: UnsafePointer<Float>, stride aStride: Int, _ b: UnsafePointer<Float>, stride bStride: Int,
    into c: UnsafeMutablePointer<Float>, stride cStride: Int, m: Int, n: Int, k: Int
  ) {
    _ = prepared
    unsafe cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(aStride), b,
      Int32(bStride), 0, c, Int32(cStride))
  }
}
