import Formats
import Models

/// Files that an older report of the same form may be replaced in.
enum ReportFile {
  /// Checks that a report can be written to a path.
  /// - Parameter beginning: how every report of the form begins.
  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything but an older report;
  ///   `FileError` if no file can be made there.
  static func requireReplaceable(_ path: String, beginning: String) throws {
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
}
