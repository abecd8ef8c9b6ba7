import Formats
import Models

/// The only code that changes the files of a model.
///
/// All files of a plan are in one folder and change together. After a crash at any moment,
/// `recover` restores all of them, unless the change was complete.
public struct PlanWriter {
  /// The folder of the model's files.
  let folder: String
  /// The name of the model in messages.
  let model: String
  let journalPath: String
  let format: ModelFormat
  /// The files that may change, apart from undo records.
  let names: [String]

  // MARK: Recovery

  /// Restores the model if an earlier command was interrupted.
  ///
  /// The caller must hold the lock.
  /// - Returns: a message about what was done, or nil if there was nothing to do.
  public func recover() throws -> String? {
    guard let journal = try Journal(at: journalPath) else { return nil }
    try journal.requirePlausible(for: self)
    if journal.isCommitted {
      try journal.removeBackups(in: folder)
    } else {
      try journal.rollBack(in: folder)
    }
    try removeAbandonedFiles()
    try removeJournal()
    return journal.isCommitted
      ? "\(model): an earlier change was complete; its backups were removed"
      : "\(model): an earlier change was interrupted; all files were restored"
  }

  /// Deletes temporary files of this model that killed commands have left behind.
  func removeAbandonedFiles() throws {
    let journalName = FileSystem.name(of: journalPath)
    try OutputFile.removeAbandoned(in: folder) { names.contains(String($0)) || $0 == journalName }
    let undo = FileSystem.path(UndoFolder.name, in: folder)
    guard format == .folder, (try? FileStatus(of: undo, followingLinks: false))?.kind == .folder
    else { return }
    try OutputFile.removeAbandoned(in: undo) { UndoFolder.isRecordName($0) }
    FileSystem.removeEmptyFolder(undo)
  }

  /// The suffix of a file's backup while its successor takes its place.
  static let backupSuffix = ".lrpatch-old"

  /// Ends a change.
  ///
  /// The names that it changed must be durable before the journal's is gone. Some file systems do
  /// not keep the order of the two.
  private func removeJournal() throws {
    try FileSystem.syncFolder(folder)
    try FileSystem.remove(journalPath)
    try FileSystem.syncFolder(folder)
  }

  // MARK: Performing

  /// Changes all files of the plan, or none.
  /// - Parameter force: edit a file even if another process has it open.
  func perform(_ edits: [FileEdit], force: Bool) throws {
    try removeAbandonedFiles()
    let undo = FileSystem.path(UndoFolder.name, in: folder)
    if format == .folder, FileSystem.exists(undo) { try FileSafety.requireWritable(undo) }
    for edit in edits { try FileSafety.requireWritable(FileSystem.path(edit.name, in: folder)) }
    do {
      try performInPlace(edits, force: force)
    } catch let error as FileError where error.isUnsupported && edits.contains(where: \.resizes) {
      try performByCopy(edits, force: force)
    }
  }

  private func performInPlace(_ edits: [FileEdit], force: Bool) throws {
    // Resizes come first, so that nothing has changed if the file system does not support them.
    let ordered = edits.filter(\.resizes) + edits.filter { !$0.resizes }
    var entries: [Journal.Entry] = []
    for edit in ordered { entries.append(try entry(for: edit, force: force)) }
    try transact(Journal(entries)) {
      for edit in ordered { try perform(edit, force: force) }
    }
  }

  /// Copies and swaps the files that grow, for file systems that cannot insert blocks.
  private func performByCopy(_ edits: [FileEdit], force: Bool) throws {
    var copies: [Copy] = []
    for edit in edits where edit.resizes { copies.append(try Copy(edit, in: folder)) }
    defer { for copy in copies { copy.discard() } }
    let others = edits.filter { !$0.resizes }
    if others.isEmpty, copies.count == 1 { return try copies[0].replaceOriginal() }

    var entries = copies.map(\.entry)
    for edit in others { entries.append(try entry(for: edit, force: force)) }
    let journal = Journal(entries)
    try transact(journal) {
      for edit in others { try perform(edit, force: force) }
      // Every original has its other name before the first successor takes its place.
      for copy in copies { try copy.setAside() }
      try FileSystem.syncFolder(folder)
      for copy in copies { try copy.takePlace() }
      try FileSystem.syncFolder(folder)
      var committed = journal
      committed.isCommitted = true
      try committed.write(to: journalPath)
      try committed.removeBackups(in: folder)
    }
  }

  /// Writes the journal, does the work, and removes the journal.
  ///
  /// If the work fails, undoes it.
  private func transact(_ journal: Journal, _ work: () throws -> Void) throws {
    try journal.write(to: journalPath)
    do {
      try work()
    } catch {
      // If this fails too, the journal stays for the next command.
      _ = try recover()
      throw error
    }
    try removeJournal()
  }

  private func entry(for edit: FileEdit, force: Bool) throws -> Journal.Entry {
    switch edit.action {
    case .contents(let old, _):
      let path = FileSystem.path(edit.name, in: folder)
      let now = FileSystem.exists(path) ? try FileSystem.contents(of: path) : nil
      guard now == old else { throw ModelError.changedMeanwhile(path) }
      return Journal.Entry(name: edit.name, action: .contents(old: old.map { Base64Bytes($0) }))
    case .layout(var layout, let inverse):
      let file = try FileSafety.openForEditing(
        FileSystem.path(edit.name, in: folder), layout, force: force)
      layout.writes = []
      return Journal.Entry(
        name: edit.name,
        action: .layout(
          layout, inverse: inverse, inode: try file.status().inode,
          holes: try layout.holesBefore(in: file)))
    }
  }

  private func perform(_ edit: FileEdit, force: Bool) throws {
    let path = FileSystem.path(edit.name, in: folder)
    switch edit.action {
    case .contents(_, let new?):
      let parent = FileSystem.folder(of: path)
      if !FileSystem.exists(parent) { try FileSystem.createFolder(parent) }
      try OutputFile.replace(path, by: new)
    case .contents(_, nil):
      try FileSystem.removeWithEmptyFolder(path)
    case .layout(let layout, _):
      let file = try FileSafety.openForEditing(path, layout, force: force)
      try layout.perform(on: file)
    }
  }
}

extension FileEdit {
  /// Whether the edit moves data, which some file systems cannot do in place.
  fileprivate var resizes: Bool {
    if case .layout(let layout, _) = action { layout.resize != nil } else { false }
  }
}

/// The successor of a file, complete under a temporary name.
private struct Copy {
  let folder: String
  let name: String
  let temporary: String
  let backup: String

  init(_ edit: FileEdit, in folder: String) throws {
    self.folder = folder
    name = edit.name
    let path = FileSystem.path(edit.name, in: folder)
    let temporaryPath = OutputFile.temporaryPath(for: path)
    temporary = FileSystem.name(of: temporaryPath)
    backup = ".\(edit.name)\(PlanWriter.backupSuffix)"
    guard case .layout(let layout, _) = edit.action else { preconditionFailure("not a layout") }
    let old = try Descriptor(path: path, .read)
    let status = try old.status()
    guard status.size == layout.oldSize else { throw ModelError.changedMeanwhile(path) }
    TemporaryFiles.shared.insert(temporaryPath)
    let new = try Descriptor(path: temporaryPath, .create)
    do {
      new.takeOver(status)
      try layout.perform(from: old, to: new)
      try new.sync()
      guard try old.status() == status else { throw ModelError.changedMeanwhile(path) }
    } catch {
      try? FileSystem.remove(temporaryPath)
      throw error
    }
  }

  var entry: Journal.Entry {
    Journal.Entry(name: name, action: .swapped(temporary: temporary, backup: backup))
  }

  func replaceOriginal() throws {
    try FileSystem.rename(
      FileSystem.path(temporary, in: folder), to: FileSystem.path(name, in: folder))
    try FileSystem.syncFolder(folder)
  }

  /// Keeps the original as a backup.
  ///
  /// If the file system supports hard links, the original keeps its name until the successor takes
  /// it.
  func setAside() throws {
    let original = FileSystem.path(name, in: folder)
    let aside = FileSystem.path(backup, in: folder)
    do { try FileSystem.hardLink(original, to: aside) } catch {
      try FileSystem.rename(original, to: aside)
    }
  }

  /// Gives the successor the name of the original.
  func takePlace() throws {
    try FileSystem.rename(
      FileSystem.path(temporary, in: folder), to: FileSystem.path(name, in: folder))
  }

  func discard() {
    try? FileSystem.remove(FileSystem.path(temporary, in: folder))
    TemporaryFiles.shared.remove(FileSystem.path(temporary, in: folder))
  }
}
