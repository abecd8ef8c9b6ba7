import Glibc

/// An error of the operating system: what was tried, on which file, and why it failed.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was tried, as the words after "cannot": `open`, `set permissions of`.
  public var operation: String
  /// The file or folder on which it was tried.
  public var path: String
  /// The value of `errno`.
  public var code: Int32

  /// Creates an error with a value of `errno`.
  public init(_ operation: String, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// An operation that this file system or file does not allow.
  package static func unsupported(_ operation: String, _ path: String) -> FileError {
    FileError(operation, path, code: EOPNOTSUPP)
  }

  /// The failure that `errno` describes.
  init(_ operation: String, _ path: String) {
    self.init(operation, path, code: errno)
  }

  /// The path, what was tried, and the C library's text for the code.
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
