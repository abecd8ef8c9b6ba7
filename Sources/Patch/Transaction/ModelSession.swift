import Formats

/// A model on disk under this process's lock, restored first where an earlier command was interrupted.
///
/// The lock is on the folder that holds the files, since files are replaced. It ends with this value.
public struct ModelSession: ~Copyable {
  public enum Kind: Equatable, Sendable { case folder, gguf }

  public let path: String
  public let kind: Kind
  /// What had to be restored, in words.
  public let recovery: String?
  let writer: PlanWriter
  private let lock: Descriptor

  /// - Parameter exclusive: for commands that change the model; others share.
  /// - Throws: `PatchError` of kind unsafe where another `lrpatch` holds the lock; `PatchError` for a path that is no
  ///   model.
  public init(path given: String, exclusive: Bool) throws {
    let path = given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
    let kind = try Self.kind(path)
    let writer = try Self.writer(path, kind)
    let lock = try Descriptor(path: writer.folder, .folder)
    let mustRecover = FileSystem.exists(writer.journalPath)
    try Self.acquire(lock, exclusive: exclusive || mustRecover)
    let recovery = mustRecover ? try writer.recover() : nil
    self.path = path
    self.kind = kind
    self.writer = writer
    self.lock = lock
    self.recovery = recovery
  }

  /// A file that is missing may be one that an interrupted change has set aside: then there is a journal.
  private static func kind(_ path: String) throws -> Kind {
    do {
      return try FileStatus(of: path, followingLinks: true).kind == .folder ? .folder : .gguf
    } catch {
      guard path.hasSuffix(".gguf"), FileSystem.exists(try writer(path, .gguf).journalPath) else { throw error }
      return .gguf
    }
  }

  private static func writer(_ path: String, _ kind: Kind) throws -> PlanWriter {
    switch kind {
    case .folder:
      guard FileSystem.exists("\(path)/\(HuggingFaceModel.configName)") else {
        let hasGGUF = try FileSystem.names(in: path).contains { $0.hasSuffix(".gguf") }
        throw PatchError.unsupported(
          path,
          "no model: the folder has no \(HuggingFaceModel.configName)\(hasGGUF ? "; name one of its .gguf files" : "")")
      }
      return PlanWriter(
        folder: path, model: path, journalPath: "\(path)/\(Journal.suffix)", kind: kind,
        names: [HuggingFaceModel.configName, HuggingFaceModel.tokenizerConfigName])
    case .gguf:
      let folder = FileSystem.folder(of: path)
      let names = (GGUFSplit(containing: path)?.paths ?? [path]).map { FileSystem.name(of: $0) }
      return PlanWriter(
        folder: folder, model: path, journalPath: FileSystem.path(".\(names[0])\(Journal.suffix)", in: folder),
        kind: kind, names: names)
    }
  }

  /// Waits a moment, since a patch takes one, and gives up then.
  private static func acquire(_ lock: borrowing Descriptor, exclusive: Bool) throws {
    for attempt in 0..<20 {
      if try lock.lock(exclusive: exclusive) { return }
      if attempt < 19 { Pause.milliseconds(100) }
    }
    throw PatchError.unsafe(lock.path, "another lrpatch is at work here; try again when it is done")
  }
}
