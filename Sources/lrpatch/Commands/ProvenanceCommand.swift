import ArgumentParser
import Formats
import Release
import Verify

struct ProvenanceCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "provenance",
    abstract: "Lists a model's files with their SHA-256, as sums and as a statement to sign.",
    discussion: """
      Writes SHA256SUMS, for sha256sum -c, and an in-toto statement, whose signature OpenSSF model \
      signing verifies. A folder is listed whole, and a GGUF model by its shards.
      """
        + examples(
          ("beside the model", "provenance model"),
          ("with a CycloneDX bill of materials", "provenance model --bom"),
          ("whether anything has changed", "provenance model --check")))

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write to this folder; default the model's.", valueName: "folder"),
    completion: .directory)
  var output: String?

  @Flag(help: "Also write a CycloneDX bill of materials of the model.")
  var bom = false

  @Flag(help: "Only check the sums that are there: exit 1 unless every file is unchanged.")
  var check = false

  @Flag(help: "No progress on stderr.")
  var noProgress = false

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if output == "" { throw ValidationError("-o needs a folder") }
    if bom, check { throw ValidationError("--bom writes a file, and --check writes none") }
  }

  func run() throws {
    let session = try common.open(model)
    let files = try ProvenanceFiles(of: session, in: output)
    let progress = ProgressLine(isShown: !common.quiet && !noProgress)
    defer { progress.end() }
    if check {
      let (manifest, differences) = try files.check(session) { progress.show($0, "SHA-256") }
      progress.end()
      return try report(files, manifest, differences)
    }
    let manifest = try files.write(for: session, withBill: bom) { progress.show($0, "SHA-256") }
    progress.end()
    if common.json {
      Output.json(
        document(files, manifest, statement: files.statement, bill: bom ? files.bill : nil))
    } else if !common.quiet {
      let written = [files.sums, files.statement] + (bom ? [files.bill] : [])
      Output.result("\(written.joined(separator: ", ")): \(manifest.files.count) files")
    }
  }

  private func report(
    _ files: ProvenanceFiles, _ manifest: ModelManifest, _ differences: [String]
  ) throws {
    if common.json {
      Output.json(document(files, manifest, differences: differences))
    } else {
      for line in differences { Output.result(line) }
      if differences.isEmpty, !common.quiet {
        Output.result("\(files.sums): \(manifest.files.count) files are unchanged")
      }
    }
    if !differences.isEmpty { throw CheckFailed() }
  }

  private func document(
    _ files: ProvenanceFiles, _ manifest: ModelManifest, statement: String? = nil,
    bill: String? = nil, differences: [String] = []
  ) -> JSONValue {
    .object([
      "schema": DocumentSchema.provenance.json, "model": .string(model),
      "sums": .string(files.sums), "statement": statement.map { .string($0) } ?? .null,
      "bom": bill.map { .string($0) } ?? .null,
      "files": .array(
        manifest.files.map {
          .object([
            "name": .string($0.name), "size": .number($0.size), "sha256": .string($0.sha256),
          ])
        }), "differences": .array(differences.map { .string($0) }),
    ])
  }
}
