import Glibc

/// An error of the operating system: what was tried, on which file, and why it failed.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  public var operation: String
  public var path: String
  /// The value of `errno`.
  public var code: Int32

  public init(_ operation: String, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// The failure that `errno` describes.
  init(_ operation: String, _ path: String) {
    self.init(operation, path, code: errno)
  }

  public var description: String {
    let reason = unsafe String(cString: strerror(code))
    return "\(path): cannot \(operation): \(reason)"
  }

  /// Whether the reason is that the path already exists.
  public var isExisting: Bool { code == EEXIST || code == ENOTEMPTY }

  /// Whether the reason is that the file system or the platform lacks the operation.
  public var isUnsupported: Bool {
    [EOPNOTSUPP, ENOTSUP, ENOSYS, EINVAL, EXDEV, ENOTTY].contains(code)
  }
}
