import Glibc

/// A file that appears under its name only when it is complete.
///
/// It is written under a temporary name in the same folder. `commit` makes it durable and renames
/// it. Without `commit`, `deinit` deletes it.
public struct OutputFile: ~Copyable {
  /// The path under which the complete file appears.
  public let path: String
  /// The path under which the file is written.
  public let temporaryPath: String
  /// The open temporary file.
  public let descriptor: Descriptor
  private var isPending = true

  /// Creates the temporary file.
  /// - Parameter old: the file to replace. The new file takes over its owner and permissions, as
  ///   far as the system allows it.
  public init(path: String, replacing old: FileStatus? = nil) throws(FileError) {
    let temporaryPath = Self.temporaryPath(for: path)
    TemporaryFiles.shared.insert(temporaryPath)
    let descriptor: Descriptor
    do { descriptor = try Descriptor(path: temporaryPath, .create) } catch {
      TemporaryFiles.shared.remove(temporaryPath)
      throw FileError("create", path, code: error.code)
    }
    if let old { descriptor.takeOver(old) }
    self.path = path
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
  }

  deinit {
    if isPending { unsafe unlink(temporaryPath) }
    TemporaryFiles.shared.remove(temporaryPath)
  }

  /// Makes the contents durable and the file visible.
  /// - Parameters:
  ///   - replacing: whether to replace an existing file; otherwise it is refused with EEXIST.
  ///   - syncsFolder: whether to make the name durable too. This may fail after the file has
  ///     appeared.
  public consuming func commit(replacing: Bool = true, syncsFolder: Bool = true) throws(FileError) {
    try descriptor.sync()
    try FileSystem.rename(temporaryPath, to: path, replacing: replacing)
    isPending = false
    if syncsFolder { try FileSystem.syncFolder(FileSystem.folder(of: path)) }
  }

  /// Replaces the file at `path` with `bytes`, and keeps its owner and permissions.
  public static func replace(_ path: String, by bytes: [UInt8]) throws(FileError) {
    let old = try? FileStatus(of: path, followingLinks: false)
    let output = try OutputFile(path: path, replacing: old)
    try output.descriptor.write(bytes, at: 0)
    try output.commit()
  }

  /// The path of a hidden sibling that no other process uses.
  public static func temporaryPath(for path: String) -> String {
    let folder = FileSystem.folder(of: path)
    let name = FileSystem.name(of: path)
    let tag = String(UInt32.random(in: 0 ... .max), radix: 36)
    return FileSystem.path(".\(name).lrpatch-tmp-\(getpid())-\(tag)", in: folder)
  }

  /// Whether a dead process left the temporary file `entry`, for an output whose name satisfies
  /// `isOwn`.
  public static func isAbandoned(_ entry: String, of isOwn: (Substring) -> Bool) -> Bool {
    guard let match = entry.wholeMatch(of: /\.(.+)\.lrpatch-tmp-([0-9]{1,10})-[0-9a-z]{1,7}/),
      isOwn(match.1), let process = Int32(match.2)
    else { return false }
    return process != getpid() && kill(process, 0) != 0 && errno == ESRCH
  }

  /// Deletes the temporary files and folders that dead processes left in a folder, for outputs
  /// whose names satisfy `isOwn`.
  public static func removeAbandoned(in folder: String, of isOwn: (Substring) -> Bool)
    throws(FileError)
  {
    for name in try FileSystem.names(in: folder) where isAbandoned(name, of: isOwn) {
      let path = FileSystem.path(name, in: folder)
      switch try FileStatus(of: path, followingLinks: false).kind {
      case .file: try FileSystem.remove(path)
      case .folder: try FileSystem.removeTree(path)
      default: break
      }
    }
  }
}
