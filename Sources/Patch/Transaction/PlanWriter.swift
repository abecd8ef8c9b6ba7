import Formats

/// The one place that changes a model's files.
///
/// All files of a plan lie in one folder. They change together: after a crash at any moment `recover` brings them back to
/// what they were, unless the change was complete.
public struct PlanWriter {
  /// The folder of the model's files.
  let folder: String
  /// The model's name in messages.
  let model: String
  let journalPath: String
  let kind: ModelSession.Kind
  /// The files that a change may touch, undo records aside.
  let names: [String]

  // MARK: Recovery

  /// Restores the model where an earlier command was interrupted. The caller holds the lock.
  /// - Returns: what was done, or nil where there was nothing to do.
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
      ? "\(model): an earlier change was complete; what it had set aside is removed"
      : "\(model): an earlier change was interrupted; every file is restored to what it was before"
  }

  /// Deletes the temporary files that killed commands left for this model's files.
  func removeAbandonedFiles() throws {
    let journalName = FileSystem.name(of: journalPath)
    try OutputFile.removeAbandoned(in: folder) { names.contains(String($0)) || $0 == journalName }
    let undo = FileSystem.path(UndoFolder.name, in: folder)
    guard kind == .folder, (try? FileStatus(of: undo, followingLinks: false))?.kind == .folder else { return }
    try OutputFile.removeAbandoned(in: undo) { UndoFolder.isRecordName($0) }
    FileSystem.removeEmptyFolder(undo)
  }

  /// Ends the name under which a file is set aside while its successor takes its place.
  static let backupSuffix = ".lrpatch-old"

  private func removeJournal() throws {
    try FileSystem.remove(journalPath)
    try FileSystem.syncFolder(folder)
  }

  // MARK: Performing

  /// Changes all files of the plan, or none.
  /// - Parameter force: edit a file even though another process has it open.
  func perform(_ edits: [FileEdit], force: Bool) throws {
    try removeAbandonedFiles()
    let undo = FileSystem.path(UndoFolder.name, in: folder)
    if kind == .folder, FileSystem.exists(undo) { try Safety.requireWritable(undo) }
    for edit in edits { try Safety.requireWritable(FileSystem.path(edit.name, in: folder)) }
    do {
      try performInPlace(edits, force: force)
    } catch let error as FileError where error.isUnsupported && edits.contains(where: \.resizes) {
      try performByCopy(edits, force: force)
    }
  }

  private func performInPlace(_ edits: [FileEdit], force: Bool) throws {
    // A resize that the file system refuses must be the first thing tried.
    let ordered = edits.filter(\.resizes) + edits.filter { !$0.resizes }
    var entries: [Journal.Entry] = []
    for edit in ordered { entries.append(try entry(for: edit, force: force)) }
    try transact(Journal(entries)) {
      for edit in ordered { try perform(edit, force: force) }
    }
  }

  /// For file systems that cannot insert blocks: the files that grow are copied and swapped.
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
      for copy in copies { try copy.swap() }
      try FileSystem.syncFolder(folder)
      var committed = journal
      committed.isCommitted = true
      try committed.write(to: journalPath)
      try committed.removeBackups(in: folder)
    }
  }

  /// Writes the journal, does the work, removes the journal; undoes the work where it fails.
  private func transact(_ journal: Journal, _ work: () throws -> Void) throws {
    try journal.write(to: journalPath)
    do {
      try work()
    } catch {
      // What cannot be undone now stays in the journal for the next command.
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
      guard now == old else { throw Safety.changedMeanwhile(path) }
      return Journal.Entry(name: edit.name, action: .contents(old: old.map { PackedBytes($0) }))
    case .layout(var layout, let inverse):
      let file = try Safety.openForEditing(FileSystem.path(edit.name, in: folder), layout, force: force)
      layout.writes = []
      return Journal.Entry(
        name: edit.name,
        action: .layout(layout, inverse: inverse, inode: try file.status().inode))
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
      try FileSystem.remove(path)
      FileSystem.removeEmptyFolder(FileSystem.folder(of: path))
    case .layout(let layout, _):
      let file = try Safety.openForEditing(path, layout, force: force)
      try layout.perform(on: file)
    }
  }
}

extension FileEdit {
  /// Whether the edit moves data, which not every file system can do in place.
  fileprivate var resizes: Bool {
    if case .layout(let layout, _) = action { layout.resize != nil } else { false }
  }
}

/// A file's successor, complete under a temporary name.
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
    guard status.size == layout.oldSize else { throw Safety.changedMeanwhile(path) }
    TemporaryFiles.shared.insert(temporaryPath)
    let new = try Descriptor(path: temporaryPath, .create)
    do {
      try layout.perform(from: old, to: new)
      try new.sync()
      new.takeOver(status)
      guard try old.status() == status else { throw Safety.changedMeanwhile(path) }
    } catch {
      try? FileSystem.remove(temporaryPath)
      throw error
    }
  }

  var entry: Journal.Entry {
    Journal.Entry(name: name, action: .swapped(temporary: temporary, backup: backup))
  }

  func replaceOriginal() throws {
    try FileSystem.rename(FileSystem.path(temporary, in: folder), to: FileSystem.path(name, in: folder))
    try FileSystem.syncFolder(folder)
  }

  /// The original keeps its name until the successor takes it, where it can have two names for a moment.
  func swap() throws {
    let original = FileSystem.path(name, in: folder)
    let aside = FileSystem.path(backup, in: folder)
    do { try FileSystem.hardLink(original, to: aside) } catch { try FileSystem.rename(original, to: aside) }
    try FileSystem.rename(FileSystem.path(temporary, in: folder), to: FileSystem.path(name, in: folder))
  }

  func discard() {
    try? FileSystem.remove(FileSystem.path(temporary, in: folder))
    TemporaryFiles.shared.remove(FileSystem.path(temporary, in: folder))
  }
}
