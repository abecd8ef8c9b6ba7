internal import CZstd

/// Compresses to and decompresses from single zstd frames.
///
/// Frames have a checksum, so that damage is detected.
public enum Zstd {
  /// An error of the decoder.
  public struct Failure: Error, CustomStringConvertible {
    /// Why the frame cannot be decompressed.
    public let description: String
  }

  /// Compresses bytes to one frame with a checksum.
  /// - Parameter level: zstd's level, from 1 (fast) to 22 (small).
  public static func compress(_ bytes: [UInt8], level: Int32 = 19) -> [UInt8] {
    let bound = ZSTD_compressBound(bytes.count)
    let context = unsafe ZSTD_createCCtx()
    defer { unsafe ZSTD_freeCCtx(context) }
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      // The bound is zstd's own for this many bytes, so compression cannot run out of room.
      count = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_compress2(context, buffer.baseAddress, bound, source.baseAddress, source.count)
      }
      precondition(ZSTD_isError(count) == 0)
    }
  }

  /// Decompresses one frame.
  /// - Parameter limit: the most bytes to which the frame may expand. A frame that declares more is
  ///   refused.
  public static func decompress(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
    let declared = unsafe bytes.withUnsafeBytes {
      unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count)
    }
    // zstd's two error values are the largest numbers, so they exceed the limit too.
    guard declared <= UInt64(limit) else {
      throw Failure(description: "not a zstd frame of at most \(limit) bytes")
    }
    let capacity = Int(declared)
    var code = 0
    let result = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      code = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_decompress(buffer.baseAddress, capacity, source.baseAddress, source.count)
      }
      count = ZSTD_isError(code) == 0 ? code : 0
    }
    guard ZSTD_isError(code) == 0 else { throw Failure(description: "the zstd frame is damaged") }
    return result
  }
}
