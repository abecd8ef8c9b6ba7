import Glibc

/// A read-only mapping of a whole file.
///
/// `deinit` unmaps it.
///
/// If another process truncates the file while it is mapped, access to the lost part ends this
/// process with SIGBUS. `lrpatch` itself never truncates a file that it maps.
@safe public struct MappedFile: ~Copyable, @unchecked Sendable {
  // @unchecked Sendable: the mapping is immutable for the life of this value.
  private let base: UnsafeRawPointer?
  /// The size of the file in bytes, when it was mapped.
  public let byteCount: Int
  /// The path under which the file was opened.
  public let path: String

  /// Maps `path` and follows symbolic links, because models in a Hub cache may be read.
  /// - Throws: `FileError` if it cannot be opened, is not a regular file, or cannot be mapped.
  public init(path: String) throws(FileError) {
    let descriptor = try Descriptor(path: path, .read)
    try self.init(descriptor)
  }

  /// Maps an open file.
  public init(_ descriptor: borrowing Descriptor) throws(FileError) {
    let size = try descriptor.status().size
    let address = try unsafe Self.map(descriptor, size)
    unsafe base = address
    byteCount = size
    path = descriptor.path
  }

  /// The address of the mapping, or nil for an empty file, which cannot be mapped.
  private static func map(
    _ descriptor: borrowing Descriptor, _ size: Int
  ) throws(FileError) -> UnsafeRawPointer? {
    guard size > 0 else { return nil }
    let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.number, 0)
    guard unsafe address != MAP_FAILED else { throw FileError("map", descriptor.path) }
    return UnsafeRawPointer(address)
  }

  deinit {
    // mmap was given this length and returned this address.
    if let base = unsafe base {
      unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
    }
  }

  /// The bytes of the whole file, valid as long as this value.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let buffer = unsafe UnsafeRawBufferPointer(start: base, count: byteCount)
      let span = unsafe RawSpan(_unsafeBytes: buffer)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Calls `body` with the bytes of `range`, for kernels that take pointers.
  ///
  /// The pointer must not outlive the call.
  public func withUnsafeBytes<R>(
    in range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R
  ) -> R {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
    return unsafe body(
      UnsafeRawBufferPointer(start: base.map { unsafe $0 + range.lowerBound }, count: range.count))
  }

  /// Visits `range` in pieces and releases each piece's memory afterwards.
  ///
  /// So a file may be larger than memory. `body` returns false to stop.
  public func visit(_ range: Range<Int>, _ body: (Range<Int>) -> Bool) {
    let step = 8 << 20
    for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      let piece = start..<min(start + step, range.upperBound)
      let goesOn = body(piece)
      release(piece)
      if !goesOn { return }
    }
  }

  /// Lets the kernel drop the pages of `range` from memory.
  ///
  /// A later access reads them again.
  public func release(_ range: Range<Int>) {
    guard let base = unsafe base else { return }
    let page = 4096
    let start = range.lowerBound.roundedDown(to: page)
    // The range is rounded out to whole pages, which lie inside the mapping.
    unsafe madvise(
      UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start, MADV_DONTNEED)
  }

  /// Whether the file holds the given bytes at an offset.
  package func equals(_ span: RawSpan, at offset: Int) -> Bool {
    bytes.extracting(offset..<offset + span.byteCount).equals(span)
  }

  /// Whether two ranges of two files hold the same bytes.
  public func equals(
    _ range: Range<Int>, _ other: borrowing MappedFile, _ otherRange: Range<Int>
  ) -> Bool {
    guard range.count == otherRange.count else { return false }
    var isEqual = true
    let shift = otherRange.lowerBound - range.lowerBound
    visit(range) { piece in
      let otherPiece = piece.lowerBound + shift..<piece.upperBound + shift
      isEqual = bytes.extracting(piece).equals(other.bytes.extracting(otherPiece))
      other.release(otherPiece)
      return isEqual
    }
    return isEqual
  }
}
