import Formats
import Models

/// `apply -o`, which changes a copy of the model.
extension Apply {
  /// Writes a copy of the model with the changes of a plan.
  ///
  /// The copy appears complete or not at all.
  /// - Parameter output: a path that does not exist. It becomes a folder for a folder or a split
  ///   GGUF model, else a file.
  /// - Throws: `ModelError` of kind `unsafe` if `output` exists or is in the model or in a Hub
  ///   cache; `FileError`.
  public func writeCopy(
    _ plan: Plan, of session: borrowing ModelSession, to output: String
  ) throws {
    let output = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    guard !FileSystem.exists(output) else {
      throw ModelError.unsafe(output, "already exists; name a new path")
    }
    try FileSafety.requireOutsideHubCache(output)
    let parent = FileSystem.folder(of: output)
    if session.format == .folder {
      let inside = try FileSystem.resolved(parent) + "/"
      if inside.hasPrefix(try FileSystem.resolved(session.path) + "/") {
        throw ModelError.unsafe(
          output, "is inside the model that is being copied; name a path outside it")
      }
    }
    let name = FileSystem.name(of: output)
    try OutputFile.removeAbandoned(in: parent) { $0 == name }
    do {
      try write(plan, session, to: output)
    } catch let error as FileError where error.isExisting {
      throw ModelError.unsafe(output, "already exists; name a new path")
    }
  }

  private func write(_ plan: Plan, _ session: borrowing ModelSession, to output: String) throws {
    switch session.format {
    case .folder:
      try copyFolder(session.path, plan, to: output)
    case .gguf:
      let paths = try GGUFModel.shardPaths(of: session.path)
      if paths.count > 1 {
        try copyShards(paths, plan, to: output)
      } else {
        let file = try OutputFile(path: output)
        try copyFile(paths[0], plan, to: file.descriptor)
        try file.commit(replacing: false)
      }
    }
  }

  /// The path by which the model that `writeCopy` wrote is opened: the first shard if `output` is a
  /// folder of shards, else `output`.
  public func outputModel(of session: borrowing ModelSession, at output: String) throws -> String {
    guard session.format == .gguf, FileSystem.isFolder(output) else { return output }
    let first = try GGUFModel.shardPaths(of: session.path)[0]
    return FileSystem.path(FileSystem.name(of: first), in: output)
  }

  private func copyShards(_ paths: [String], _ plan: Plan, to output: String) throws {
    try OutputFolder.create(output) { folder in
      for path in paths {
        let target = "\(folder)/\(FileSystem.name(of: path))"
        let file = try Descriptor(path: target, .create)
        try copyFile(path, plan, to: file)
        try file.sync()
      }
    }
  }

  /// Copies one GGUF file, with its edit if the plan has one.
  private func copyFile(_ path: String, _ plan: Plan, to new: borrowing Descriptor) throws {
    let old = try Descriptor(path: path, .read)
    let status = try old.status()
    let edit = plan.edits.first { $0.name == FileSystem.name(of: path) }
    if case .layout(let layout, _)? = edit?.action {
      guard status.size == layout.oldSize else { throw ModelError.changedMeanwhile(path) }
      try layout.perform(from: old, to: new)
    } else {
      try new.copy(from: old, at: 0, count: status.size, to: 0)
    }
    guard try old.status() == status else { throw ModelError.changedMeanwhile(path) }
  }

  private func copyFolder(_ source: String, _ plan: Plan, to output: String) throws {
    try OutputFolder.create(output) { folder in
      try copyTree(source, plan, relative: "", to: folder)
      for edit in plan.edits {
        guard case .contents(_, let new?) = edit.action else { continue }
        let target = "\(folder)/\(edit.name)"
        let parent = FileSystem.folder(of: target)
        if !FileSystem.exists(parent) { try FileSystem.createFolder(parent) }
        let file = try Descriptor(path: target, .create)
        try file.write(new, at: 0)
        try file.sync()
      }
    }
  }

  /// Copies everything that the plan does not change.
  ///
  /// The targets of links are copied, not the links.
  private func copyTree(
    _ source: String, _ plan: Plan, relative: String, to folder: String
  ) throws {
    for name in try FileSystem.names(in: source) where !name.hasSuffix(Journal.suffix) {
      let path = "\(source)/\(name)"
      let place = relative.isEmpty ? name : "\(relative)/\(name)"
      if plan.edits.contains(where: { $0.name == place }) { continue }
      let status = try FileStatus(of: path, followingLinks: true)
      switch status.kind {
      case .folder:
        try FileSystem.createFolder("\(folder)/\(place)")
        try copyTree(path, plan, relative: place, to: folder)
      case .file:
        try copyPlainFile(path, status, to: "\(folder)/\(place)")
      default:
        throw ModelError.unsupported(path, "is neither a file nor a folder and cannot be copied")
      }
    }
  }

  private func copyPlainFile(_ path: String, _ status: FileStatus, to target: String) throws {
    if options.hardLinks {
      return try FileSystem.hardLink(try FileSystem.resolved(path), to: target)
    }
    let old = try Descriptor(path: path, .read)
    let new = try Descriptor(path: target, .create)
    try new.copy(from: old, at: 0, count: status.size, to: 0)
    try? FileSystem.setPermissions(status.permissions | 0o200, of: target)
    try new.sync()
    guard try old.status() == status else { throw ModelError.changedMeanwhile(path) }
  }
}
