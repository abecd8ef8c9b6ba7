import Formats
import Models

/// Checks that a file can be changed without affecting others.
package enum FileSafety {
  /// Refuses a file with a shared content.
  /// - Throws: `ModelError` of kind `unsafe` for a symbolic link, a file with several hard links,
  ///   or a file in a Hub cache.
  package static func requireWritable(
    _ path: String, remedy: String = "write a copy with -o"
  ) throws {
    try requireOutsideHubCache(path, remedy: remedy)
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return }
    if status.kind == .link {
      throw ModelError.unsafe(
        path, "is a symbolic link, and its target may be shared; \(remedy)")
    }
    if status.kind == .file, status.links > 1 {
      throw ModelError.unsafe(
        path,
        "has \(status.links) hard links, which would all change; \(remedy)")
    }
  }

  /// Refuses a path in a Hub cache (`models--ORG--NAME/{blobs,refs,snapshots}`), because other
  /// programs share it.
  /// - Throws: `ModelError` of kind `unsafe`.
  package static func requireOutsideHubCache(
    _ path: String, remedy: String = "write a copy with -o"
  ) throws {
    let folder = FileSystem.isFolder(path) ? path : FileSystem.folder(of: path)
    let resolved = (try? FileSystem.resolved(folder)) ?? folder
    for candidate in [path, resolved] {
      let parts = candidate.split(separator: "/")
      let isCache = zip(parts, parts.dropFirst()).contains { repository, kind in
        ["models--", "datasets--", "spaces--"].contains { repository.hasPrefix($0) }
          && ["blobs", "snapshots", "refs"].contains(kind)
      }
      if isCache {
        throw ModelError.unsafe(path, "is in a Hugging Face Hub cache; \(remedy)")
      }
    }
  }

  /// Opens a large file for an in-place edit.
  /// - Throws: `ModelError` of kind `unsafe` if another process has the file open, or if its size
  ///   has changed since the plan was made.
  static func openForEditing(
    _ path: String, _ layout: LayoutEdit, force: Bool
  ) throws -> Descriptor {
    let file = try Descriptor(path: path, .edit)
    guard try file.status().size == layout.oldSize else { throw ModelError.changedMeanwhile(path) }
    if !force, file.isOpenElsewhere() == true {
      throw ModelError.unsafe(
        path,
        "another process has the file open (a running server?); stop it, or use --force"
      )
    }
    return file
  }
}
