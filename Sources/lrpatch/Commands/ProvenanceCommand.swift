import ArgumentParser
import Formats
import Patch

struct ProvenanceCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "provenance",
    abstract: "Lists a model's files with their SHA-256, as sums and as a statement to sign.",
    discussion: """
      Writes SHA256SUMS, for sha256sum -c, and an in-toto statement, whose signature OpenSSF model signing verifies. A \
      folder is listed whole; of a GGUF model its shards are.
      """)

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    name: [.short, .long], help: ArgumentHelp("Write to this folder; default the model's.", valueName: "folder"),
    completion: .directory)
  var output: String?

  @Flag(help: "Only check the sums that are there: exit 1 unless every file is as it was.")
  var check = false

  @Flag(help: "No progress on stderr.")
  var noProgress = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if output == "" { throw ValidationError("-o needs a folder") }
  }

  func run() throws {
    let session = try common.open(model)
    let names = try Names(session)
    let folder = output ?? (session.kind == .folder ? session.path : FileSystem.folder(of: session.path))
    let sums = FileSystem.path(names.sums, in: folder)
    let statement = FileSystem.path(names.statement, in: folder)
    if !check {
      try Safety.requireOutsideHubCache(folder, remedy: "name another folder with -o")
      try requireOutside(session, folder)
      try requireOwn(sums, statement)
    }
    // What is no GGUF file is found before it is read whole.
    if session.kind == .gguf { for path in try GGUFModel.shardPaths(of: session.path) { _ = try GGUFFile(path: path) } }
    let manifest = try manifest(session, ignoring: names)
    if check {
      return try report(
        sums, manifest.differences(from: FileSystem.contents(of: sums, limit: 64 << 20), sums), manifest)
    }
    let known = SigningStatement(manifest, ignoring: names.ignored, knowledge: try knowledge(session))
    // The statement first: sums without it would be taken for somebody else's.
    try OutputFile.replace(statement, by: JSONStyle.standard.encode(known.json) + [0x0A])
    try OutputFile.replace(sums, by: Array(manifest.sums.utf8))
    if common.json {
      Output.json(document(sums, manifest, statement: statement))
    } else if !common.quiet {
      Output.result("\(sums), \(statement): \(manifest.files.count) files")
    }
  }

  /// What is written, and what a signature is called.
  private struct Names {
    let sums: String
    let statement: String
    let ignored: Set<String>

    init(_ session: borrowing ModelSession) throws {
      let isFolder = session.kind == .folder
      let prefix = isFolder ? "" : "\(try ModelManifest.name(of: session))."
      sums = "\(prefix)SHA256SUMS"
      statement = isFolder ? "model.intoto.json" : "\(prefix)intoto.json"
      ignored = isFolder ? [sums, statement, "model.sig"] : []
    }
  }

  private func manifest(_ session: borrowing ModelSession, ignoring names: Names) throws -> ModelManifest {
    let progress = ProgressLine(isShown: !common.quiet && !noProgress)
    defer { progress.end() }
    return try ModelManifest(session, .everything, ignoring: names.ignored) { progress.show($0, "SHA-256") }
  }

  /// - Throws: `PatchError` of kind unsafe for a folder in the model's, whose files would be listed themselves.
  private func requireOutside(_ session: borrowing ModelSession, _ folder: String) throws {
    guard session.kind == .folder else { return }
    let (model, place) = (try FileSystem.resolved(session.path), try FileSystem.resolved(folder))
    guard place == model || !place.hasPrefix(model + "/") else {
      throw PatchError.unsafe(folder, "lies in the model's folder, which is listed whole; name one outside, or none")
    }
  }

  /// - Throws: `PatchError` of kind unsafe where something else stands than older files of this command: the statement says
  ///   that it is one, and vouches for the sums beside it.
  private func requireOwn(_ sums: String, _ statement: String) throws {
    let remedy = "name another folder with -o"
    for path in [sums, statement] { try Safety.requireWritable(path, remedy: remedy) }
    var isOurs = true
    if FileSystem.exists(statement) {
      let bytes = try FileSystem.contents(of: statement, limit: 64 << 20)
      isOurs = (try? JSONDocument(parsing: bytes))?.value["predicate"]?["lrpatch"] != nil
    } else {
      isOurs = !FileSystem.exists(sums)
    }
    guard isOurs else {
      throw PatchError.unsafe(
        FileSystem.exists(statement) ? statement : sums, "exists already and is not of this program; \(remedy)")
    }
  }

  /// What the model says of its patch.
  private func knowledge(_ session: borrowing ModelSession) throws -> JSONValue {
    let inspection = try? Inspection(session, anyFamily: true)
    var members = [JSONMember("version", .string(lrpatchVersion))]
    guard let inspection else { return .object(members) }
    members += [
      JSONMember("original_window", .number(inspection.geometry.originalWindow)),
      JSONMember("window", .number(inspection.geometry.window)),
    ]
    if let hash = inspection.stamp["factors_sha256"] { members.append(JSONMember("factors_sha256", .string(hash))) }
    if let factors = inspection.factors { members.append(JSONMember("mscale", .number(factors.longMscale))) }
    return .object(members)
  }

  private func report(_ sums: String, _ differences: [String], _ manifest: ModelManifest) throws {
    if common.json {
      Output.json(document(sums, manifest, differences: differences))
    } else {
      for line in differences { Output.result(line) }
      if differences.isEmpty, !common.quiet { Output.result("\(sums): \(manifest.files.count) files are as they were") }
    }
    if !differences.isEmpty { throw CheckFailed() }
  }

  private func document(
    _ sums: String, _ manifest: ModelManifest, statement: String? = nil, differences: [String] = []
  ) -> JSONValue {
    .object([
      "schema": .string("lrpatch.provenance/1"), "model": .string(model), "sums": .string(sums),
      "statement": statement.map { .string($0) } ?? .null,
      "files": .array(
        manifest.files.map {
          .object(["name": .string($0.name), "size": .number($0.size), "sha256": .string($0.sha256)])
        }), "differences": .array(differences.map { .string($0) }),
    ])
  }
}
