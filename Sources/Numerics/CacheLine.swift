extension UnsafeMutablePointer {
  /// Memory for the kernels, not initialized.
  ///
  /// It begins with a cache line, so that a register of a row whose length is a multiple of a
  /// register never spans two lines. Products on AVX2 take an eighth more time if it does.
  static func allocateLines(capacity: Int) -> UnsafeMutablePointer {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, capacity) * MemoryLayout<Pointee>.stride, alignment: 64)
    return unsafe raw.bindMemory(to: Pointee.self, capacity: max(1, capacity))
  }
}
