import Glibc

/// The file system's information about one file.
public struct FileStatus: Equatable, Sendable {
  /// The kind of an entry: a regular file, a folder, a symbolic link, or anything else.
  public enum Kind: Equatable, Sendable { case file, folder, link, other }

  /// The kind of the entry.
  public var kind: Kind
  /// The size in bytes.
  public var size: Int
  /// The number of the device that holds the file.
  public var device: UInt64
  /// The inode number, which is unique on the device.
  public var inode: UInt64
  /// The number of hard links.
  public var links: Int
  /// The 12 permission bits, with set-user-ID, set-group-ID and sticky.
  public var permissions: UInt32
  /// The owner's user ID.
  public var owner: UInt32
  /// The group ID.
  public var group: UInt32
  /// The block size of the file system, in bytes.
  public var blockSize: Int
  /// The time of the last change of the contents, in nanoseconds since 1970.
  public var modified: Int

  init(_ information: stat) {
    switch information.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFLNK: kind = .link
    default: kind = .other
    }
    size = Int(information.st_size)
    device = UInt64(information.st_dev)
    inode = UInt64(information.st_ino)
    links = Int(information.st_nlink)
    permissions = UInt32(information.st_mode & 0o7777)
    owner = information.st_uid
    group = information.st_gid
    blockSize = Int(information.st_blksize)
    modified = information.st_mtim.tv_sec * 1_000_000_000 + information.st_mtim.tv_nsec
  }

  /// The status of `path`.
  /// - Parameter followingLinks: whether a symbolic link gives the status of its target instead of
  ///   its own.
  public init(of path: String, followingLinks: Bool) throws(FileError) {
    var information = stat()
    let result =
      followingLinks
      ? unsafe stat(path, &information) : unsafe lstat(path, &information)
    guard result == 0 else { throw FileError("examine", path) }
    self.init(information)
  }

  /// The status of an open file.
  init(_ descriptor: Int32, _ path: String) throws(FileError) {
    var information = stat()
    guard unsafe fstat(descriptor, &information) == 0 else { throw FileError("examine", path) }
    self.init(information)
  }
}
