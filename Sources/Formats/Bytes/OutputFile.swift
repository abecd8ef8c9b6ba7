import Glibc

/// A file that appears under its name only when it is complete.
///
/// It is written under a temporary name in the same folder. `commit` makes it durable and renames it; without
/// `commit`, `deinit` deletes it.
public struct OutputFile: ~Copyable {
  public let path: String
  public let temporaryPath: String
  public let descriptor: Descriptor
  private var isPending = true

  /// - Parameter permissions: those of the file that this one replaces, if any.
  public init(path: String, permissions: UInt32 = 0o644) throws(FileError) {
    let temporaryPath = Self.temporaryPath(for: path)
    TemporaryFiles.shared.insert(temporaryPath)
    let descriptor: Descriptor
    do { descriptor = try Descriptor(path: temporaryPath, .create) } catch {
      TemporaryFiles.shared.remove(temporaryPath)
      throw FileError("create", path, code: error.code)
    }
    // Permissions are a courtesy: a file system that has none must not stop the work.
    fchmod(descriptor.number, permissions)
    self.path = path
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
  }

  deinit {
    if isPending { unsafe unlink(temporaryPath) }
    TemporaryFiles.shared.remove(temporaryPath)
  }

  /// Makes the contents durable and the file visible.
  /// - Parameter replacing: whether a file that is already there gives way; it is refused with EEXIST otherwise.
  public consuming func commit(replacing: Bool = true) throws(FileError) {
    try descriptor.sync()
    try FileSystem.rename(temporaryPath, to: path, replacing: replacing)
    isPending = false
    try FileSystem.syncFolder(FileSystem.folder(of: path))
  }

  /// Replaces the file at `path` by `bytes`, keeping its permissions.
  public static func replace(_ path: String, by bytes: [UInt8]) throws(FileError) {
    let old = try? FileStatus(of: path, followingLinks: false)
    let output = try OutputFile(path: path, permissions: old?.permissions ?? 0o644)
    try output.descriptor.write(bytes, at: 0)
    try output.commit()
  }

  /// A hidden sibling's name that no other process uses.
  public static func temporaryPath(for path: String) -> String {
    let folder = FileSystem.folder(of: path)
    let name = FileSystem.name(of: path)
    let tag = String(UInt64(getpid()) << 32 | UInt64(UInt32.random(in: 0 ... .max)), radix: 36)
    return "\(folder)/.\(name).lrpatch-\(tag)"
  }
}
