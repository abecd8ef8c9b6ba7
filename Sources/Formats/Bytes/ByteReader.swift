import Glibc

/// A bounds-checked cursor over a file's bytes.
///
/// A read either succeeds completely or throws `FormatError` with its offset.
public struct ByteReader: ~Escapable {
  private let bytes: RawSpan
  /// The offset of the next byte to read, from the start of the span.
  public private(set) var offset: Int

  /// A reader that starts at `offset`, which must not lie beyond the span's end.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, at offset: Int = 0) {
    precondition(offset >= 0 && offset <= bytes.byteCount)
    self.bytes = bytes
    self.offset = offset
  }

  /// The number of bytes that have not been read.
  public var remaining: Int { bytes.byteCount - offset }

  /// Reads one little-endian integer.
  @_lifetime(self: copy self)
  public mutating func read<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ subject: FormatError.Subject? = nil
  ) throws(FormatError) -> T {
    let start = try take(MemoryLayout<T>.size, subject)
    // `take` proved that the whole integer lies inside the span; every bit pattern is a valid
    // integer.
    return T(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: T.self))
  }

  /// Skips `count` bytes and returns the offset at which they begin.
  @_lifetime(self: copy self)
  public mutating func take(
    _ count: Int, _ subject: FormatError.Subject? = nil
  ) throws(FormatError) -> Int {
    guard count <= remaining else {
      throw FormatError(
        .truncated(needed: UInt64(count), available: UInt64(remaining)), at: offset, subject)
    }
    defer { offset += count }
    return offset
  }

  /// Skips a number of bytes that a file declares, which may be larger than any address.
  @_lifetime(self: copy self)
  public mutating func take(
    declared count: UInt64, _ subject: FormatError.Subject? = nil
  ) throws(FormatError) -> Int {
    guard count <= UInt64(remaining) else {
      throw FormatError(
        .truncated(needed: count, available: UInt64(remaining)), at: offset, subject)
    }
    return try take(Int(count), subject)
  }
}

extension RawSpan {
  /// A copy of the bytes in `range`, which must lie inside the span.
  public func copy(_ range: Range<Int>) -> [UInt8] {
    let part = extracting(range)
    return unsafe part.withUnsafeBytes { unsafe [UInt8]($0) }
  }

  /// The bytes of `range` as text, or nil if they are not valid UTF-8.
  public func text(_ range: Range<Int>) -> String? {
    let part = extracting(range)
    return unsafe part.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
  }

  /// One little-endian integer at `offset`.
  ///
  /// All its bytes must lie inside the span.
  public func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= byteCount)
    return T(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// Whether the two spans hold the same bytes.
  public func equals(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        // Both buffers have the same, proven length.
        guard let a = left.baseAddress, let b = right.baseAddress else { return true }
        return unsafe memcmp(a, b, left.count) == 0
      }
    }
  }
}

extension [UInt8] {
  /// The array's bytes as a span.
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // The span's lifetime depends on the array.
      unsafe span.bytes
    }
  }
}
