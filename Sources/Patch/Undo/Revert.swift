import Formats
import Models

/// Restores a model to its state before the last apply, or before the first.
public struct Revert: Sendable {
  /// Undo every apply, not only the last.
  public var all = false
  /// Edit a file even if another process has it open.
  public var force = false
  /// Undo only what the apply changed in files that were edited since, and keep the edits: of the
  /// members of a config, and of values of a GGUF file that were overwritten by others as long.
  public var keepsEdits = false

  /// Undoes the last apply, and respects files that another process has open.
  public init() {}

  /// Undoes one apply or all of them.
  /// - Returns: the number of applies that were undone; 0 if the model has no undo record.
  /// - Throws: `ModelError` of kind `unsafe` if the model was edited since, with the differences;
  ///   `FormatError` or `FileError`.
  public func perform(in session: borrowing ModelSession) throws -> Int {
    if try FileStatus(of: session.path, followingLinks: false).kind == .link {
      throw ModelError.unsafe(session.path, "is a symbolic link; revert its target instead")
    }
    switch session.format {
    case .folder: return try revertFolder(session)
    case .gguf:
      var count = 0
      while try revertGGUF(session) {
        count += 1
        if !all { break }
      }
      return count
    }
  }

  // MARK: Folders

  private func revertFolder(_ session: borrowing ModelSession) throws -> Int {
    let undo = UndoFolder(modelPath: session.path)
    let names = all ? undo.names.reversed() : Array(undo.names.suffix(1))
    guard !names.isEmpty else { return 0 }
    var current: [String: [UInt8]] = [:]
    var original: [String: [UInt8]] = [:]
    var edits: [FileEdit] = []
    for name in names {
      for file in try undo.record(name).files {
        guard let before = file.before?.bytes, let after = file.after?.bytes,
          [ModelFolder.configName, ModelFolder.tokenizerConfigName].contains(file.name)
        else {
          throw ModelError.unsupported(
            "\(session.path)/\(name)",
            "names the file '\(file.name.sanitized)', which apply never changes")
        }
        let path = "\(session.path)/\(file.name)"
        let now = try current[file.name] ?? FileSystem.contents(of: path)
        if original[file.name] == nil { original[file.name] = now }
        if now == after {
          current[file.name] = before
        } else if keepsEdits {
          current[file.name] = try Self.undo(from: after, to: before, in: now, path)
        } else {
          throw Self.editedSince(path, from: after, to: now)
        }
      }
    }
    for (name, bytes) in current.sorted(by: { $0.key < $1.key }) {
      edits.append(FileEdit(name: name, action: .contents(old: original[name], new: bytes)))
    }
    for name in names {
      let bytes = try FileSystem.contents(of: "\(session.path)/\(name)")
      edits.append(FileEdit(name: name, action: .contents(old: bytes, new: nil)))
    }
    try session.writer.perform(edits, force: force)
    return names.count
  }

  private static func editedSince(
    _ path: String, from after: [UInt8], to now: [UInt8]
  ) -> ModelError {
    let old = try? JSONDocument(parsing: after).value
    guard let new = try? JSONDocument(parsing: now).value else {
      return .unsafe(
        path,
        "was edited after it was patched and is not valid JSON any more; mend it, or restore it from a backup, and revert again"
      )
    }
    let members = JSONDifference.changes(from: old ?? .null, to: new, file: "")
    let what =
      members.isEmpty
      ? "its layout" : members.map { "'\($0.name.sanitized)'" }.joined(separator: ", ")
    return .unsafe(
      path,
      "was edited after it was patched; differences: \(what). Take the edits back, or pass --keep-edits to undo what the apply changed and nothing else"
    )
  }

  /// Undoes the changes of an apply in a config that has other changes too.
  /// - Throws: `ModelError` of kind `unsafe` if an edit is of a member that the apply changed.
  private static func undo(
    from after: [UInt8], to before: [UInt8], in now: [UInt8], _ path: String
  ) throws -> [UInt8] {
    let (old, new) = (
      try JSONDocument(parsing: before).value, try JSONDocument(parsing: after).value
    )
    guard var document = try? JSONDocument(parsing: now) else {
      throw editedSince(path, from: after, to: now)
    }
    let names = Set((old.members ?? []).map(\.name) + (new.members ?? []).map(\.name))
    for name in names.sorted() where old[name] != new[name] {
      guard document.value[name] == new[name] else {
        let edits = JSONDifference.changes(
          from: document.value[name] ?? .null, to: new[name] ?? .null, file: "", path: name)
        let isWhole = new[name]?.members == nil
        let ways =
          isWhole
          ? ["'\(name.sanitized)' to \(new[name]?.summary ?? "nothing")"]
          : edits.map { "'\($0.name.sanitized)' to \($0.new ?? "nothing")" }
        throw ModelError.unsafe(
          path,
          "members that the apply changed were edited since; restore \(ways.joined(separator: ", "))"
        )
      }
      if let value = old[name] {
        try document.set([name], to: value)
      } else {
        try document.remove([name])
      }
    }
    return document.bytes
  }

  // MARK: GGUF

  private func revertGGUF(_ session: borrowing ModelSession) throws -> Bool {
    // The mappings end before the edit begins, which requires that nobody has the files open, not
    // even this process.
    guard let edits = try undoingEdits(GGUFModel.shardPaths(of: session.path)) else { return false }
    try session.writer.perform(edits, force: force)
    return true
  }

  /// The edits that undo the last apply, or nil if the model has no undo record.
  private func undoingEdits(_ paths: [String]) throws -> [FileEdit]? {
    let first = try GGUFFile(path: paths[0])
    guard let record = try UndoRecord(in: first, path: paths[0]) else { return nil }
    return try record.files.map { undone in
      guard let number = Int(undone.name), paths.indices.contains(number),
        let layout = undone.layout, let marks = undone.marks
      else {
        throw ModelError.unsupported(paths[0], "its undo record is damaged")
      }
      return try GGUFReversal(path: paths[number], layout: layout, marks: marks).edit(
        keepingEdits: keepsEdits)
    }
  }
}
