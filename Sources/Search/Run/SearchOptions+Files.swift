import Formats
import Models

extension SearchOptions {
  /// Checks that the checkpoint and the log replace nothing but files of the same kind.
  /// - Throws: `ModelError` of kind `unsafe` if they would; `FileError`.
  func requireReplaceableFiles() throws {
    if resume == nil, let checkpoint, FileSystem.exists(checkpoint) {
      throw ModelError.unsafe(
        checkpoint,
        "already exists; continue from it with --resume, or name another file with --checkpoint")
    }
    guard let log, FileSystem.exists(log) else { return }
    let size = try FileStatus(of: log, followingLinks: true).size
    let head = try Descriptor(path: log, .read).read(at: 0, count: min(64, size))
    guard String(decoding: head, as: UTF8.self).contains(SearchLog.schema) else {
      throw ModelError.unsafe(log, "already exists and is not a search log; name a new path")
    }
  }
}
