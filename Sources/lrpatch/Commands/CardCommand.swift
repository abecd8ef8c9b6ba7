import ArgumentParser
import Formats
import Patch
import Verify

struct CardCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "card", abstract: "Updates the model card: what the context window is, and what was measured.",
    discussion: """
      In README.md beside the model, the YAML's base_model, tags and own results of model-index are set, and one section \
      between two marks. Everything else stays, byte for byte.
      """)

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    help: ArgumentHelp("A result of verify -o, to put into the card; may be repeated.", valueName: "result"),
    completion: .file(extensions: ["json"]))
  var result: [String] = []

  @Option(help: ArgumentHelp("The model that this one was made of, as the Hub calls it.", valueName: "org/name"))
  var baseModel: String?

  @Option(
    help: ArgumentHelp("The model's name in the model index; default that of the folder or file.", valueName: "name"))
  var name: String?

  @Flag(help: "Print the card and write nothing.")
  var dryRun = false

  @Flag(help: "Only check: exit 1 unless the card says all this already.")
  var check = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if check && dryRun { throw ValidationError("--check and --dry-run exclude each other") }
    if let baseModel, baseModel.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*/) == nil {
      throw ValidationError("'\(baseModel)' is no name on the Hub, such as org/name")
    }
    if name == "" { throw ValidationError("--name needs a name") }
  }

  func run() throws {
    let session = try common.open(model, exclusive: !dryRun && !check)
    let path =
      session.kind == .folder
      ? "\(session.path)/README.md" : FileSystem.path("README.md", in: FileSystem.folder(of: session.path))
    let old = FileSystem.exists(path) ? try FileSystem.contents(of: path, limit: 8 << 20) : []
    let new = try ModelCard(parsing: old, subject: path).updated(update(session))
    let isChanged = new != old
    if check {
      if common.json { Output.json(document(path, isChanged ? "differs" : "current")) }
      if isChanged { throw CheckFailed(message: "\(path): is not what lrpatch card would write") }
      if !common.json, !common.quiet { Output.result("\(path): says all this already") }
      return
    }
    if dryRun {
      if common.json { return Output.json(document(path, isChanged ? "planned" : "current", text: new)) }
      return Output.raw(new)
    }
    if isChanged {
      try Safety.requireWritable(path, remedy: "make it a file of its own")
      for remark in Signatures.remarks(beside: session, .card) { common.note("note: \(remark)") }
      try OutputFile.replace(path, by: new)
    }
    if common.json {
      Output.json(document(path, isChanged ? "updated" : "current"))
    } else if !common.quiet {
      Output.result("\(path): \(isChanged ? old.isEmpty ? "written" : "updated" : "says all this already")")
    }
  }

  private func document(_ path: String, _ status: String, text: [UInt8]? = nil) -> JSONValue {
    .object([
      "schema": .string("lrpatch.card/1"), "model": .string(model), "card": .string(path), "status": .string(status),
      "text": text.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null,
    ])
  }

  private func update(_ session: borrowing ModelSession) throws -> ModelCard.Update {
    let inspection = try Inspection(session)
    guard inspection.factors != nil else {
      throw PatchError.unsupported(model, "carries no factors; there is nothing for its card to say")
    }
    let own = try ModelManifest.name(of: session)
    let document = try result.isEmpty ? nil : ReportCommand.merged(result)
    if let document { try require(document, toBeOf: ModelManifest(session, .runtime)) }
    let model = name ?? own
    let section = CardSection(inspection: inspection, name: model, result: document)
    return ModelCard.Update(
      baseModel: baseModel, tags: ["long-context", "longrope"], model: model,
      results: document.map { _ in section.results },
      section: session.kind == .folder ? "" : Self.marked(own), text: section.lines)
  }

  /// A file's name as it can stand in a mark; two names never become the same.
  private static func marked(_ name: String) -> String {
    let plain = Set("._-".utf8)
    return name.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      return plain.contains(byte) || scalar.properties.isASCIIHexDigit || ("a"..."z").contains(scalar)
        || ("A"..."Z").contains(scalar)
        ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  /// - Throws: `VerifyError` where the numbers are another model's.
  private func require(_ document: ResultDocument, toBeOf manifest: ModelManifest) throws {
    let name = result.joined(separator: ", ")
    if document.shard != nil { throw VerifyError(name, "is a part of a grid; give all its parts") }
    guard document.isComplete, document.measured.missing.isEmpty else {
      throw VerifyError(name, "is of a run that ended early; measure again to the end")
    }
    guard document.method["factors"]?.isNull != false else {
      throw VerifyError(name, "was measured with other factors than the model's own (--factors)")
    }
    let measured = document.provenance.files
    guard !measured.isEmpty else {
      throw VerifyError(name, "does not say which files were measured; measure again with verify -o")
    }
    let (old, new) = (
      Dictionary(measured.map { ($0.name, $0.sha256) }) { first, _ in first },
      Dictionary(manifest.files.map { ($0.name, $0.sha256) }) { first, _ in first }
    )
    for file in Set(old.keys).union(new.keys).sorted() where old[file] != new[file] {
      let what = old[file] == nil ? "was not there" : new[file] == nil ? "was there" : "had other bytes"
      throw VerifyError(name, "was measured on other files: \(file.sanitized) \(what)")
    }
  }
}
