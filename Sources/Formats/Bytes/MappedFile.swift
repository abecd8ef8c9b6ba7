import Glibc

/// A read-only mapping of a whole file. `deinit` ends it.
///
/// A file that another process truncates while it is mapped ends this process with SIGBUS when the lost part is
/// touched; `lrpatch` itself never truncates a file that it maps.
@safe public struct MappedFile: ~Copyable, @unchecked Sendable {
  // @unchecked Sendable: the mapping is immutable for the life of this value.
  private let base: UnsafeRawPointer?
  public let byteCount: Int
  public let path: String

  /// Maps `path`, following symbolic links: reading a Hub cache is fine.
  /// - Throws: `FileError` where it cannot be opened, is no regular file, or cannot be mapped.
  public init(path: String) throws(FileError) {
    let descriptor = try Descriptor(path: path, .read)
    try self.init(descriptor)
  }

  /// Maps the file that is open as `descriptor`.
  public init(_ descriptor: borrowing Descriptor) throws(FileError) {
    let size = try descriptor.status().size
    let address = try unsafe Self.map(descriptor, size)
    unsafe base = address
    byteCount = size
    path = descriptor.path
  }

  /// nil for an empty file, which cannot be mapped.
  private static func map(
    _ descriptor: borrowing Descriptor, _ size: Int
  ) throws(FileError) -> UnsafeRawPointer? {
    guard size > 0 else { return nil }
    let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.number, 0)
    guard unsafe address != MAP_FAILED else { throw FileError("map", descriptor.path) }
    return UnsafeRawPointer(address)
  }

  deinit {
    // The pair is what mmap was given and returned.
    if let base = unsafe base {
      unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
    }
  }

  public var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let buffer = unsafe UnsafeRawBufferPointer(start: base, count: byteCount)
      let span = unsafe RawSpan(_unsafeBytes: buffer)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}
