import Formats
import FoundationEssentials

/// What a crash in the middle of an in-place change leaves behind for the next command: how to restore every file.
///
/// It is complete and durable under its name before the first byte is overwritten, and its removal is the moment at
/// which the change counts as made.
struct Journal: Sendable, Codable {
  static let schema = "lrpatch.journal/1"
  static let suffix = ".lrpatch-journal"

  var schema = Journal.schema
  var files: [Entry]
  /// Once true, the change is complete and only backups remain to be deleted.
  var isCommitted = false

  struct Entry: Sendable, Codable {
    var name: String
    var action: Action
  }

  enum Action: Sendable, Codable {
    /// A small file replaced whole; nil means that it did not exist.
    case contents(old: PackedBytes?)
    /// A file edited in place; the edit's own writes are left out.
    case layout(LayoutEdit, inverse: LayoutEdit, inode: UInt64)
    /// A file set aside under `backup` and replaced by `temporary`.
    case swapped(temporary: String, backup: String)
  }

  /// JSON, and its SHA-256 on a line of its own.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = Array(try encoder.encode(self))
    try OutputFile.replace(path, by: text + Array("\n\(sha256(text))\n".utf8))
  }

  /// nil where there is none.
  init?(at path: String) throws {
    guard FileSystem.exists(path) else { return nil }
    let bytes = try FileSystem.contents(of: path)
    let text = bytes.dropLast(66)
    guard bytes.count > 66, bytes.suffix(66).elementsEqual("\n\(sha256(Array(text)))\n".utf8),
      let journal = try? JSONDecoder().decode(Journal.self, from: Data(text)), journal.schema == Self.schema
    else {
      throw PatchError.unsupported(
        path,
        "the journal of an interrupted change is damaged, so the change cannot be undone; restore the model from another copy and remove this file"
      )
    }
    self = journal
  }

  /// Only the model's own files may be touched, each in its own way, whoever wrote the journal.
  func requirePlausible(for writer: PlanWriter) throws {
    for entry in files {
      let isRecord = writer.kind == .folder && UndoFolder.isRecordPath(entry.name)
      var isPlausible = isRecord || writer.names.contains(entry.name)
      switch entry.action {
      case .contents: isPlausible = isPlausible && writer.kind == .folder
      case .layout(let edit, let inverse, _):
        isPlausible =
          isPlausible && writer.kind == .gguf && edit.isPlausible(forFileOf: edit.oldSize)
          && inverse.isPlausible(forFileOf: inverse.oldSize) && inverse.cutTo == edit.resizedSize
          && inverse.newSize == edit.oldSize
      case .swapped(let temporary, let backup):
        isPlausible =
          isPlausible && writer.kind == .gguf && backup == ".\(entry.name)\(PlanWriter.backupSuffix)"
          && temporary.hasPrefix(".\(entry.name).lrpatch-tmp-") && !temporary.contains("/")
      }
      guard isPlausible else {
        throw PatchError.unsafe(
          writer.journalPath,
          "the journal speaks of '\(entry.name.sanitized)' in a way that no apply or revert does; nothing was touched")
      }
    }
  }

  init(_ files: [Entry]) { self.files = files }

  /// Undoes, file by file, what an interrupted change has done in `folder`.
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
        if FileSystem.exists(path) { try FileSystem.remove(path) }
        FileSystem.removeEmptyFolder(FileSystem.folder(of: path))
      case .layout(let edit, let inverse, let inode):
        let file = try Descriptor(path: path, .edit)
        guard try file.status().inode == inode else {
          throw PatchError.unsafe(
            path,
            "an interrupted change is to be undone, but this is no longer the file that was being changed; restore it, or remove the journal beside it"
          )
        }
        try edit.rollBack(file, by: inverse)
      case .swapped(let temporary, let backup):
        let aside = FileSystem.path(backup, in: folder)
        if FileSystem.exists(aside) {
          try FileSystem.rename(aside, to: path)
          // Renaming one name of a file over another of the same file does nothing.
          if FileSystem.exists(aside) { try FileSystem.remove(aside) }
        }
        let successor = FileSystem.path(temporary, in: folder)
        if FileSystem.exists(successor) { try FileSystem.remove(successor) }
      }
    }
  }

  /// Deletes what a completed change had set aside.
  func removeBackups(in folder: String) throws {
    for entry in files {
      guard case .swapped(_, let backup) = entry.action else { continue }
      if FileSystem.exists(FileSystem.path(backup, in: folder)) {
        try FileSystem.remove(FileSystem.path(backup, in: folder))
      }
    }
  }
}
