import Glibc

/// The file system's information about one file.
public struct FileStatus: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case file, folder, link, other }

  public var kind: Kind
  public var size: Int
  public var device: UInt64
  public var inode: UInt64
  /// The number of hard links.
  public var links: Int
  public var permissions: UInt32
  public var owner: UInt32
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

  /// The status of `path`. If it is a symbolic link and `followingLinks` is true, that of its
  /// target.
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
