import Formats
import Models

/// A format of files, of which an older one may be replaced, but nothing else.
public protocol ReplaceableFormat {
  /// How every file of the format begins that this program writes.
  var beginning: String { get }
}

extension ReplaceableFormat {
  /// Checks that a file can be written to a path.
  ///
  /// Call it before long work.
  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything but an older file of the
  ///   format; `FileError` if no file can be made there.
  public func requireReplaceable(_ path: String) throws {
    // A temporary file next to it is made and removed again, so that failures show now.
    _ = try OutputFile(path: path)
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return }
    let head =
      status.kind == .file
      ? try Descriptor(path: path, .read).read(at: 0, count: min(400, status.size)) : []
    let text = String(decoding: head, as: UTF8.self)
    guard status.kind == .file, text.isEmpty || text.hasPrefix(beginning) else {
      throw ModelError.unsafe(
        path, "already exists and is not an older report of this form; name a new path")
    }
  }

  /// Writes a file, or replaces an older one.
  /// - Throws: as `requireReplaceable` does.
  public func write(_ text: String, to path: String) throws {
    try requireReplaceable(path)
    try OutputFile.replace(path, by: Array(text.utf8))
  }
}
