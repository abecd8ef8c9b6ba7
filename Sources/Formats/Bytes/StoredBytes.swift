/// The bytes of one tensor in a file.
package struct StoredBytes: Sendable {
  package let file: SharedFile
  package let range: Range<Int>

  package init(file: SharedFile, range: Range<Int>) {
    self.file = file
    self.range = range
  }

  /// The bytes as signed integers of 4 or 8 bytes.
  package func integers(width: Int) -> [Int] {
    unsafe withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: width).map { place in
        unsafe width == 4
          ? Int(bytes.loadUnaligned(fromByteOffset: place, as: Int32.self))
          : bytes.loadUnaligned(fromByteOffset: place, as: Int.self)
      }
    }
  }

  /// Calls `body` with the bytes.
  ///
  /// The pointer must not outlive the call.
  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    unsafe file.map.withUnsafeBytes(in: range) { unsafe body($0) }
  }
}
