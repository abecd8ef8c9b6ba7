import Formats
public import Models

/// A model on disk that this process has locked.
///
/// If an earlier command was interrupted, the model is restored first.
///
/// The lock is on the folder of the files, because the files are replaced. It lasts as long as this
/// value.
public struct ModelSession: ~Copyable {
  /// The path of the model.
  public let path: String
  /// The format of the model.
  public let format: ModelFormat
  /// A message about an interrupted change that was undone, or nil.
  public let recovery: String?
  let writer: PlanWriter
  private let lock: Descriptor

  /// Locks a model, and undoes an interrupted change.
  /// - Parameters:
  ///   - given: the path of a folder or of a GGUF file.
  ///   - exclusive: true for a command that changes the model, false for one that reads it.
  /// - Throws: `ModelError` of kind `unsafe` if another process holds the lock; `ModelError` for a
  ///   path that is not a model; `FileError`.
  public init(path given: String, exclusive: Bool) throws {
    let path = given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
    let format = try Self.format(path)
    let writer = try Self.writer(path, format)
    let lock = try Descriptor(path: writer.folder, .folder)
    let mustRecover = FileSystem.exists(writer.journalPath)
    try Self.acquire(lock, exclusive: exclusive || mustRecover)
    let recovery = mustRecover ? try writer.recover() : nil
    self.path = path
    self.format = format
    self.writer = writer
    self.lock = lock
    self.recovery = recovery
  }

  /// Reads the description of the model.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  public func open() throws -> ModelFile {
    switch format {
    case .folder: .folder(try ModelFolder(path: path))
    case .gguf: .gguf(try GGUFModel(path: path))
    }
  }

  /// The format at a path.
  ///
  /// A GGUF file may be missing because an interrupted change has renamed it. In that case there is
  /// a journal.
  private static func format(_ path: String) throws -> ModelFormat {
    do {
      if try FileStatus(of: path, followingLinks: true).kind == .folder { return .folder }
      if let error = ForeignFile.file(path) { throw error }
      return .gguf
    } catch {
      guard path.hasSuffix(".gguf"), FileSystem.exists(try writer(path, .gguf).journalPath) else {
        throw error
      }
      return .gguf
    }
  }

  private static func writer(_ path: String, _ format: ModelFormat) throws -> PlanWriter {
    switch format {
    case .folder:
      guard FileSystem.exists("\(path)/\(ModelFolder.configName)") else {
        throw try ForeignFile.folder(path)
      }
      return PlanWriter(
        folder: path, model: path, journalPath: "\(path)/\(Journal.suffix)", format: format,
        names: [ModelFolder.configName, ModelFolder.tokenizerConfigName])
    case .gguf:
      let folder = FileSystem.folder(of: path)
      let names = (GGUFSplit(containing: path)?.paths ?? [path]).map { FileSystem.name(of: $0) }
      return PlanWriter(
        folder: folder, model: path,
        journalPath: FileSystem.path(".\(names[0])\(Journal.suffix)", in: folder),
        format: format, names: names)
    }
  }

  /// Takes the lock.
  ///
  /// Waits up to two seconds, because a patch takes only a moment.
  private static func acquire(_ lock: borrowing Descriptor, exclusive: Bool) throws {
    for attempt in 0..<20 {
      if try lock.lock(exclusive: exclusive) { return }
      if attempt < 19 { Pause.milliseconds(100) }
    }
    throw ModelError.unsafe(
      lock.path, "another lrpatch process is using this folder; try again when it has finished")
  }
}
