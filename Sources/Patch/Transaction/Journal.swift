import Formats
import FoundationEssentials
import Models

/// Instructions for restoring every file if a crash interrupts an in-place change.
///
/// The next command follows them.
///
/// The journal is complete and synced before the first byte is overwritten. The change counts as
/// made once the journal is removed.
struct Journal: Sendable, Codable {
  static let schema = DocumentSchema.journal.rawValue
  static let suffix = ".lrpatch-journal"

  var schema = Journal.schema
  var files: [Entry]
  /// Whether the change is complete, so that only the backups remain to be deleted.
  var isCommitted = false

  struct Entry: Sendable, Codable {
    var name: String
    var action: Action
  }

  enum Action: Sendable, Codable {
    /// A whole small file was replaced. A nil means that it did not exist.
    case contents(old: Base64Bytes?)
    /// A file was edited in place. The writes of the edit are left out. `holes` are those of the
    /// part that moves, before it did; journals of older versions lack them.
    case layout(LayoutEdit, inverse: LayoutEdit, inode: UInt64, holes: [Hole]?)
    /// A file was renamed to `backup` and replaced by `temporary`.
    case swapped(temporary: String, backup: String)
  }

  /// Writes the journal as JSON, followed by a line with its SHA-256.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = Array(try encoder.encode(self))
    try OutputFile.replace(path, by: text + Array("\n\(sha256(text))\n".utf8))
  }

  /// Reads a journal; nil if there is none.
  /// - Throws: `ModelError` for a damaged journal, or `FileError`.
  init?(at path: String) throws {
    guard FileSystem.exists(path) else { return nil }
    let bytes = try FileSystem.contents(of: path)
    let text = bytes.dropLast(66)
    guard bytes.count > 66, bytes.suffix(66).elementsEqual("\n\(sha256(Array(text)))\n".utf8),
      let journal = try? JSONDecoder().decode(Journal.self, from: Data(text)),
      journal.schema == Self.schema
    else {
      throw ModelError.unsupported(
        path,
        "the journal of an interrupted change is damaged, so the change cannot be undone; restore the model from another copy and remove this file"
      )
    }
    self = journal
  }

  /// Checks that the journal changes only the model's own files, each in a way that this program
  /// uses.
  ///
  /// A journal can come from anyone.
  /// - Throws: `ModelError` of kind `unsafe`.
  func requirePlausible(for writer: PlanWriter) throws {
    for entry in files {
      let isRecord = writer.format == .folder && UndoFolder.isRecordPath(entry.name)
      var isPlausible = isRecord || writer.names.contains(entry.name)
      switch entry.action {
      case .contents: isPlausible = isPlausible && writer.format == .folder
      case .layout(let edit, let inverse, _, let holes):
        isPlausible =
          isPlausible && writer.format == .gguf && edit.isPlausible(forFileOf: edit.oldSize)
          && inverse.isPlausible(forFileOf: inverse.oldSize) && inverse.cutTo == edit.resizedSize
          && inverse.newSize == edit.oldSize && Hole.arePlausible(holes ?? [], below: edit.oldSize)
      case .swapped(let temporary, let backup):
        isPlausible =
          isPlausible && writer.format == .gguf
          && backup == ".\(entry.name)\(PlanWriter.backupSuffix)"
          && temporary.hasPrefix(".\(entry.name).lrpatch-tmp-") && !temporary.contains("/")
      }
      guard isPlausible else {
        throw ModelError.unsafe(
          writer.journalPath,
          "the journal contains a change to '\(entry.name.sanitized)' that neither apply nor revert makes; nothing was changed"
        )
      }
    }
  }

  init(_ files: [Entry]) { self.files = files }

  /// Undoes an interrupted change in `folder`, file by file.
  func rollBack(in folder: String) throws {
    for entry in files.reversed() {
      let path = FileSystem.path(entry.name, in: folder)
      switch entry.action {
      case .contents(let old?):
        if (try? FileSystem.contents(of: path)) != old.bytes {
          let parent = FileSystem.folder(of: path)
          if !FileSystem.exists(parent) { try FileSystem.createFolder(parent) }
          try OutputFile.replace(path, by: old.bytes)
        }
      case .contents(nil):
        if FileSystem.exists(path) {
          try FileSystem.removeWithEmptyFolder(path)
        } else {
          FileSystem.removeEmptyFolder(FileSystem.folder(of: path))
        }
      case .layout(let edit, let inverse, let inode, let holes):
        let file = try Descriptor(path: path, .edit)
        guard try file.status().inode == inode else {
          throw ModelError.unsafe(
            path,
            "an interrupted change must be undone, but this is no longer the file that was being changed; restore that file, or remove the journal next to it"
          )
        }
        try edit.rollBack(file, by: inverse, holesBefore: holes ?? [])
      case .swapped(let temporary, let backup):
        let aside = FileSystem.path(backup, in: folder)
        if FileSystem.exists(aside) {
          try FileSystem.rename(aside, to: path)
          // A rename does nothing if both names are hard links to the same file.
          if FileSystem.exists(aside) { try FileSystem.remove(aside) }
        }
        let successor = FileSystem.path(temporary, in: folder)
        if FileSystem.exists(successor) { try FileSystem.remove(successor) }
      }
    }
  }

  /// Deletes the backups of a completed change.
  func removeBackups(in folder: String) throws {
    for entry in files {
      guard case .swapped(_, let backup) = entry.action else { continue }
      if FileSystem.exists(FileSystem.path(backup, in: folder)) {
        try FileSystem.remove(FileSystem.path(backup, in: folder))
      }
    }
  }
}
