/// A file's name, size and SHA-256.
public struct FileDigest: Hashable, Sendable {
  /// A path, or a name relative to the folder that is listed, with slashes.
  public var name: String
  /// The size in bytes.
  public var size: Int
  /// The SHA-256 in lower-case hexadecimal.
  public var sha256: String

  /// Creates an entry for a file.
  public init(name: String, size: Int, sha256: String) {
    self.name = name
    self.size = size
    self.sha256 = sha256
  }
}
