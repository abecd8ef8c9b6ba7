import Formats

/// What must hold before a file is changed.
package enum Safety {
  /// - Throws: `PatchError` of kind unsafe for a symbolic link, a file with other names, or one in a Hub cache.
  package static func requireWritable(_ path: String, remedy: String = "write a copy with -o") throws {
    try requireOutsideHubCache(path, remedy: remedy)
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return }
    if status.kind == .link {
      throw PatchError.unsafe(
        path, "a symbolic link: what it points at may be shared; \(remedy)")
    }
    if status.kind == .file, status.links > 1 {
      throw PatchError.unsafe(
        path,
        "the file has \(status.links) names (hard links), which would all change; \(remedy)")
    }
  }

  /// A Hub cache is shared by every program of its user: `models--ORG--NAME/{blobs,refs,snapshots}`.
  package static func requireOutsideHubCache(_ path: String, remedy: String = "write a copy with -o") throws {
    let folder = FileSystem.isFolder(path) ? path : FileSystem.folder(of: path)
    let resolved = (try? FileSystem.resolved(folder)) ?? folder
    for candidate in [path, resolved] {
      let parts = candidate.split(separator: "/")
      let isCache = zip(parts, parts.dropFirst()).contains { repository, kind in
        ["models--", "datasets--", "spaces--"].contains { repository.hasPrefix($0) }
          && ["blobs", "snapshots", "refs"].contains(kind)
      }
      if isCache {
        throw PatchError.unsafe(path, "lies in a Hugging Face Hub cache; \(remedy)")
      }
    }
  }

  /// Opens a large file for an in-place edit.
  /// - Throws: `PatchError` of kind unsafe where another process has it open, or it is not the file that was planned for.
  static func openForEditing(
    _ path: String, _ layout: LayoutEdit, force: Bool
  ) throws -> Descriptor {
    let file = try Descriptor(path: path, .edit)
    guard try file.status().size == layout.oldSize else { throw changedMeanwhile(path) }
    if !force, file.isOpenElsewhere() == true {
      throw PatchError.unsafe(
        path,
        "another process has the file open (a running server?); stop it, write a copy with -o, or use --force")
    }
    return file
  }

  package static func changedMeanwhile(_ path: String) -> PatchError {
    .unsafe(path, "the file changed while it was read; nothing was done")
  }
}
