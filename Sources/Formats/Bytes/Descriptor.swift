internal import CLinux
import Glibc

/// An open file or folder, and the system calls that `lrpatch` makes on it. Closed by `deinit`.
///
/// Every call retries when a signal interrupts it, and throws `FileError` with the operation's name.
public struct Descriptor: ~Copyable {
  let number: Int32
  public let path: String

  public enum Access: Sendable {
    /// For reading; symbolic links are followed.
    case read
    /// For reading and writing in place; a symbolic link is refused with ELOOP.
    case edit
    /// A new file; an existing one is refused with EEXIST.
    case create
    /// A folder, to lock it or to sync its entries.
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

  /// - Throws: `FileError`; a path that is neither file nor folder is refused before it can block.
  public init(path: String, _ access: Access) throws(FileError) {
    let opened = try Self.open(path, access)
    number = opened
    self.path = path
  }

  private static func open(_ path: String, _ access: Access) throws(FileError) -> Int32 {
    // O_NONBLOCK: opening a named pipe, or a file under another process's lease, must not hang.
    let number = unsafe Glibc.open(path, access.flags | O_NONBLOCK, 0o644)
    guard number >= 0 else { throw FileError("open", path) }
    let kind: FileStatus.Kind
    do { kind = try FileStatus(number, path).kind } catch {
      close(number)
      throw error
    }
    let expected: FileStatus.Kind = if case .folder = access { .folder } else { .file }
    guard kind == expected else {
      close(number)
      throw FileError(
        kind == .folder || expected == .folder ? "open" : "read a pipe or device as a file", path,
        code: kind == .folder ? EISDIR : expected == .folder ? ENOTDIR : EINVAL)
    }
    return number
  }

  deinit { close(number) }

  public func status() throws(FileError) -> FileStatus {
    try FileStatus(number, path)
  }

  /// Owner and permissions of another file, as a courtesy: whoever may not give files away must not be stopped by it.
  public func takeOver(_ old: FileStatus) {
    _ = fchown(number, old.owner, old.group)
    _ = fchmod(number, old.permissions)
  }

  // MARK: Contents

  /// The `count` bytes at `offset`.
  /// - Throws: `FileError` with ENODATA where the file ends before them.
  public func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      // The destination is the part of `result` that is still unread.
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

  public func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      // The source is the part of `bytes` that is still unwritten.
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

  /// The bytes are read while the call lasts.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.byteCount {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        retrying {
          unsafe pwrite(number, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
        }
      }
      guard put >= 0 else { throw FileError("write", path) }
      done += put
    }
  }

  public func sync() throws(FileError) {
    guard retrying({ fsync(number) }) == 0 else { throw FileError("sync", path) }
  }

  // MARK: Size

  public func truncate(to size: Int) throws(FileError) {
    guard retrying({ ftruncate(number, size) }) == 0 else { throw FileError("resize", path) }
  }

  /// Moves everything from `offset` on by `count` bytes without copying it; both must be multiples of the file
  /// system's block. ext4 and XFS can.
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

  // MARK: Copying

  /// Copies `count` bytes of `source`: shared blocks where the file system can and the range is aligned to its
  /// blocks, a copy inside the kernel or through memory otherwise.
  public func copy(
    from source: borrowing Descriptor, at offset: Int, count: Int, to destination: Int
  ) throws(FileError) {
    // To the kernel a length of 0 means everything up to the end.
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

  /// Takes an advisory lock, which ends with this value or the process.
  /// - Returns: false where another process holds a conflicting one.
  public func lock(exclusive: Bool) throws(FileError) -> Bool {
    if flock(number, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw FileError("lock", path) }
    return false
  }

  /// Whether another open of this file exists anywhere, told by a write lease, which the kernel grants only to the
  /// sole opener. Nil where it cannot tell (a file of another owner, a file system without leases).
  ///
  /// This value must be the process's only open of the file. The lease is kept, so that a program that opens the
  /// file in the middle of an edit waits until the edit is done.
  public func isOpenElsewhere() -> Bool? {
    // The kernel asks for the lease back by SIGIO, whose default would end this process in the middle.
    _ = signal(SIGIO, SIG_IGN)
    if linux_write_lease(number) == 0 { return false }
    return errno == EAGAIN ? true : nil
  }
}

/// Repeats a system call while a signal interrupts it.
func retrying<T: SignedInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
