internal import CLinux
import Glibc

/// The system calls on paths.
public enum FileSystem {
  /// Whether `path` exists, even as a symbolic link without a target.
  public static func exists(_ path: String) -> Bool {
    (try? FileStatus(of: path, followingLinks: false)) != nil
  }

  /// Whether `path` is a folder or a symbolic link to one.
  public static func isFolder(_ path: String) -> Bool {
    (try? FileStatus(of: path, followingLinks: true))?.kind == .folder
  }

  /// The names in a folder, sorted, without `.` and `..`.
  public static func names(in folder: String) throws(FileError) -> [String] {
    guard let stream = unsafe opendir(folder) else { throw FileError("list", folder) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        // d_name is a NUL-terminated array inside the entry.
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Creates a folder, whose parent must exist.
  /// - Throws: `FileError` with EEXIST if the path is taken.
  public static func createFolder(_ path: String) throws(FileError) {
    guard unsafe mkdir(path, 0o755) == 0 else { throw FileError("create", path) }
  }

  /// Creates a folder, and makes its name durable, if nothing is at the path; the folder in which it
  /// lies must exist.
  package static func createLastFolder(_ path: String) throws(FileError) {
    guard !exists(path) else { return }
    try createFolder(path)
    try syncFolder(folder(of: path))
  }

  /// Removes a file or a symbolic link, not a folder.
  public static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 else { throw FileError("remove", path) }
  }

  /// Removes a folder and everything in it, or a single file.
  ///
  /// Links are removed, not followed.
  public static func removeTree(_ path: String) throws(FileError) {
    guard try FileStatus(of: path, followingLinks: false).kind == .folder else {
      return try remove(path)
    }
    for name in try names(in: path) { try removeTree("\(path)/\(name)") }
    guard unsafe rmdir(path) == 0 else { throw FileError("remove", path) }
  }

  /// Removes a folder if it is empty.
  public static func removeEmptyFolder(_ path: String) { _ = unsafe rmdir(path) }

  /// Removes a file, and its folder if it is empty then, durably.
  public static func removeWithEmptyFolder(_ path: String) throws(FileError) {
    let parent = folder(of: path)
    try remove(path)
    removeEmptyFolder(parent)
    try syncFolder(exists(parent) ? parent : folder(of: parent))
  }

  /// Renames within one file system.
  /// - Parameter replacing: whether to replace an existing file; otherwise the call throws
  ///   `FileError`.
  public static func rename(
    _ old: String, to new: String, replacing: Bool = true
  ) throws(FileError) {
    if unsafe linux_rename(old, new, replacing ? 1 : 0) == 0 { return }
    guard !replacing, FileError("rename", new).isUnsupported, !exists(new) else {
      throw FileError("rename to", new)
    }
    // The file system lacks RENAME_NOREPLACE, so the check above must do.
    guard unsafe Glibc.rename(old, new) == 0 else { throw FileError("rename to", new) }
  }

  /// Gives `existing` a second name.
  public static func hardLink(_ existing: String, to new: String) throws(FileError) {
    guard unsafe link(existing, new) == 0 else { throw FileError("link to", new) }
  }

  /// Sets the permission bits of a file or folder.
  public static func setPermissions(_ permissions: UInt32, of path: String) throws(FileError) {
    guard unsafe chmod(path, permissions) == 0 else { throw FileError("set permissions of", path) }
  }

  /// Makes the entries of a folder durable.
  public static func syncFolder(_ path: String) throws(FileError) {
    let folder = try Descriptor(path: path, .folder)
    try folder.sync()
  }

  /// Makes the entries of a folder and of all folders below it durable.
  public static func syncFolders(below path: String) throws(FileError) {
    for name in try names(in: path) {
      let entry = "\(path)/\(name)"
      if try FileStatus(of: entry, followingLinks: false).kind == .folder {
        try syncFolders(below: entry)
      }
    }
    try syncFolder(path)
  }

  /// The free bytes of a folder's file system, or nil if it does not report them.
  public static func freeBytes(in folder: String) -> Int? {
    var status = statvfs()
    guard unsafe statvfs(folder, &status) == 0, status.f_frsize > 0 else { return nil }
    return Int(
      clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        .partialValue)
  }

  /// The path without symbolic links, `.` and `..`.
  public static func resolved(_ path: String) throws(FileError) -> String {
    guard let buffer = unsafe realpath(path, nil) else { throw FileError("resolve", path) }
    defer { unsafe free(buffer) }
    return unsafe String(cString: buffer)
  }

  /// A path that is the same for all paths of one entry, which need not exist.
  public static func canonical(_ path: String) -> String {
    let folder = folder(of: path)
    return "\((try? resolved(folder)) ?? folder)/\(name(of: path))"
  }

  /// The folder that contains `path`, or `.` for a path without a slash.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The path of an entry in a folder.
  ///
  /// In the current folder (`.`) it is just the name.
  public static func path(_ name: String, in folder: String) -> String {
    folder == "." ? name : "\(folder)/\(name)"
  }

  /// The last component of `path`.
  public static func name(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return path }
    return String(path[path.index(after: slash)...])
  }

  /// The bytes of a file as text.
  /// - Parameter path: the file's path, for the error.
  /// - Throws: `FormatError` with the offset of the first byte that is not UTF-8.
  public static func text(_ bytes: [UInt8], of path: String) throws(FormatError) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var decoder = UTF8()
    var iterator = Array(bytes).makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { offset += UTF8.width(scalar) }
    var error = FormatError(.invalidUTF8, at: offset)
    error.file = path
    throw error
  }

  /// The bytes of a whole file, if it is not larger than the limit.
  public static func contents(of path: String, limit: Int = 256 << 20) throws -> [UInt8] {
    let descriptor = try Descriptor(path: path, .read)
    let size = try descriptor.status().size
    guard size <= limit else {
      var error = FormatError(.tooLarge(UInt64(size), limit: UInt64(limit)))
      error.file = path
      throw error
    }
    return try descriptor.read(at: 0, count: size)
  }
}
