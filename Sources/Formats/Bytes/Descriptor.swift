internal import CLinux
import Glibc

/// An open file or folder, with the system calls that `lrpatch` makes on it.
///
/// `deinit` closes it. Every call retries if a signal interrupts it, and throws `FileError` with
/// the operation's name.
public struct Descriptor: ~Copyable {
  let number: Int32
  /// The path under which it was opened.
  public let path: String

  /// How a path is opened.
  public enum Access: Sendable {
    /// Read; symbolic links are followed.
    case read
    /// Read and write in place; a symbolic link is refused with ELOOP.
    case edit
    /// Create a new file; an existing one is refused with EEXIST.
    case create
    /// Open a folder, to lock it or to sync its entries.
    case folder

    var flags: Int32 {
      switch self {
      case .read: O_RDONLY | O_CLOEXEC
      case .edit: O_RDWR | O_CLOEXEC | O_NOFOLLOW
      case .create: O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW
      case .folder: O_RDONLY | O_CLOEXEC | O_DIRECTORY
      }
    }
  }

  /// Opens a file or folder.
  /// - Throws: `FileError`. A pipe, socket or device is refused, and opening it does not block.
  public init(path: String, _ access: Access) throws(FileError) {
    let opened = try Self.open(path, access)
    number = opened
    self.path = path
  }

  private static func open(_ path: String, _ access: Access) throws(FileError) -> Int32 {
    // O_NONBLOCK: opening a named pipe, or a file under another process's lease, must not hang.
    let number = unsafe Glibc.open(path, access.flags | O_NONBLOCK, 0o644)
    guard number >= 0 else {
      // Sockets cannot be opened at all.
      throw errno == ENXIO ? special(path) : FileError("open", path)
    }
    let kind: FileStatus.Kind
    do { kind = try FileStatus(number, path).kind } catch {
      close(number)
      throw error
    }
    let expected: FileStatus.Kind = if case .folder = access { .folder } else { .file }
    guard kind == expected else {
      close(number)
      if kind == .folder { throw FileError("open", path, code: EISDIR) }
      throw expected == .folder ? FileError("open", path, code: ENOTDIR) : special(path)
    }
    return number
  }

  /// The error for a path that is neither a file nor a folder.
  private static func special(_ path: String) -> FileError {
    FileError("read a pipe, socket or device as a file", path, code: EINVAL)
  }

  deinit { close(number) }

  /// The current status of the open file, even if its path now names another one.
  public func status() throws(FileError) -> FileStatus {
    try FileStatus(number, path)
  }

  /// Takes over the owner and permissions of another file.
  ///
  /// Errors are ignored, because not every user may give files away.
  public func takeOver(_ old: FileStatus) {
    _ = fchown(number, old.owner, old.group)
    _ = fchmod(number, old.permissions)
  }

  // MARK: Contents

  /// The `count` bytes at `offset`.
  /// - Throws: `FileError` with ENODATA if the file ends before them.
  public func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      // The destination is the part of `result` that is not filled yet.
      let got = unsafe result.withUnsafeMutableBytes { buffer in
        retrying {
          unsafe pread(number, buffer.baseAddress?.advanced(by: done), count - done, offset + done)
        }
      }
      guard got >= 0 else { throw FileError("read", path) }
      guard got > 0 else { throw FileError("read", path, code: ENODATA) }
      done += got
    }
    return result
  }

  /// Writes all of `bytes` at `offset`, in bytes from the start of the file.
  public func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      // The source is the part of `bytes` that is not written yet.
      let put = unsafe bytes.withUnsafeBytes { buffer in
        retrying {
          unsafe pwrite(
            number, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
        }
      }
      guard put >= 0 else { throw FileError("write", path) }
      done += put
    }
  }

  /// Writes all bytes of a span at `offset`, in bytes from the start of the file.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.byteCount {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        retrying {
          unsafe pwrite(
            number, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
        }
      }
      guard put >= 0 else { throw FileError("write", path) }
      done += put
    }
  }

  /// Makes the contents durable.
  public func sync() throws(FileError) {
    guard retrying({ fsync(number) }) == 0 else { throw FileError("sync", path) }
  }

  // MARK: Size

  /// Shortens the file to `size` bytes, or extends it with zeros.
  public func truncate(to size: Int) throws(FileError) {
    guard retrying({ ftruncate(number, size) }) == 0 else { throw FileError("resize", path) }
  }

  /// Moves everything from `offset` on by `count` bytes, without copying it.
  ///
  /// Both must be multiples of the file system's block size. ext4 and XFS support this.
  public func insertRange(at offset: Int, count: Int) throws(FileError) {
    guard retrying({ linux_insert_range(number, Int64(offset), Int64(count)) }) == 0 else {
      throw FileError("insert blocks into", path)
    }
  }

  /// The reverse of `insertRange`.
  public func collapseRange(at offset: Int, count: Int) throws(FileError) {
    guard retrying({ linux_collapse_range(number, Int64(offset), Int64(count)) }) == 0 else {
      throw FileError("remove blocks from", path)
    }
  }

  /// The holes in `range`: parts without blocks, which read as zeros.
  ///
  /// A file system that does not track them reports none.
  /// - Returns: nil if there are more than `limit`.
  public func holes(in range: Range<Int>, limit: Int) throws(FileError) -> [Range<Int>]? {
    var holes: [Range<Int>] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      let start = linux_find_hole(number, Int64(offset))
      guard start >= 0 else { throw FileError("find the holes of", path) }
      guard start < range.upperBound else { break }
      let data = linux_find_data(number, start)
      // ENXIO: the hole reaches the end of the file.
      guard data >= 0 || errno == ENXIO else { throw FileError("find the holes of", path) }
      offset = data >= 0 ? min(Int(data), range.upperBound) : range.upperBound
      holes.append(Int(start)..<offset)
      guard holes.count <= limit else { return nil }
    }
    return holes
  }

  // MARK: Copying

  /// Copies `count` bytes of `source`, from `offset` there to `destination` here.
  ///
  /// Blocks are shared if the file system supports it and the range is aligned to them. Otherwise
  /// the kernel copies the bytes, or this process does.
  /// - Throws: `FileError`, with ENODATA if the source ends before them.
  public func copy(
    from source: borrowing Descriptor, at offset: Int, count: Int, to destination: Int
  ) throws(FileError) {
    // The kernel takes a length of 0 as everything up to the end.
    guard count > 0 else { return }
    if linux_clone_range(
      source.number, Int64(offset), Int64(count), number, Int64(destination)) == 0
    {
      return
    }
    var done = 0
    while done < count {
      let step = retrying {
        linux_copy_range(
          source.number, Int64(offset + done), Int64(min(count - done, 1 << 30)),
          number, Int64(destination + done))
      }
      if step > 0 {
        done += Int(step)
      } else if step == 0 {
        throw FileError("read", source.path, code: ENODATA)
      } else if FileError("copy", path).isUnsupported {
        return try copyThroughMemory(source, offset + done, count - done, destination + done)
      } else {
        throw FileError("copy to", path)
      }
    }
  }

  private func copyThroughMemory(
    _ source: borrowing Descriptor, _ offset: Int, _ count: Int, _ destination: Int
  ) throws(FileError) {
    let step = 4 << 20
    for start in stride(from: 0, to: count, by: step) {
      let bytes = try source.read(at: offset + start, count: min(step, count - start))
      try write(bytes, at: destination + start)
    }
  }

  // MARK: Other processes

  /// Takes an advisory lock, which ends when this value or the process does.
  /// - Returns: false if another process holds a conflicting lock.
  public func lock(exclusive: Bool) throws(FileError) -> Bool {
    if flock(number, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw FileError("lock", path) }
    return false
  }

  /// Whether any process has this file open as well, or nil if the kernel cannot tell (a file of
  /// another owner, a file system without leases).
  ///
  /// The test is a write lease, which the kernel grants only to the sole opener. So this process
  /// must not have the file open twice. The lease is kept, so that a program that opens the file in
  /// the middle of an edit waits until the edit is done.
  public func isOpenElsewhere() -> Bool? {
    // The kernel asks for the lease back with SIGIO, which by default would end this process.
    _ = signal(SIGIO, SIG_IGN)
    if linux_write_lease(number) == 0 { return false }
    return errno == EAGAIN ? true : nil
  }
}

/// Repeats a system call as long as signals interrupt it.
func retrying<T: SignedInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
