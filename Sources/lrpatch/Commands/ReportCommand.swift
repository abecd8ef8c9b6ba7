import ArgumentParser
import Formats
import Patch
import Verify

struct ReportCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Merges saved results of verify, judges the whole, and renders it.",
    discussion: """
      The parts of a grid (verify --shard) must all be there, once. Results of different tasks of one model can be merged \
      too. Exit 1 when a gate fails.
      """)

  @Argument(help: "Results that verify has written with -o or --json.", completion: .file())
  var results: [String]

  @Option(
    help: ArgumentHelp("A gate, such as passkey>=0.95 or perplexity@1k@vllm<=40; may be repeated.", valueName: "gate")
  )
  var require: [String] = []

  @Flag(
    help: "Only merge and render. Without it and without --require the gates that the results were judged by count.")
  var noGates = false

  @Option(
    help: ArgumentHelp(
      "A result of the model before its patch, to show beside it; may be repeated.", valueName: "result"),
    completion: .file())
  var before: [String] = []

  @OptionGroup var rendering: RenderingOptions

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if results.isEmpty { throw ValidationError("a result is missing") }
    if noGates, !require.isEmpty { throw ValidationError("--no-gates and --require exclude each other") }
    for gate in require where VerifyCommand.gate(gate) == nil {
      throw ValidationError("'\(gate)' is no gate, such as passkey@32k>=0.95")
    }
  }

  func run() throws {
    try rendering.requireReplaceable()
    var document = try Self.merged(results)
    let gates = noGates ? [] : require.isEmpty ? document.savedGates : require
    document.verdicts = try gates.map { text in
      guard let gate = VerifyCommand.gate(text) else {
        throw VerifyError(
          results.joined(separator: ", "), "its gate '\(text.sanitized)' is none; name gates with --require")
      }
      return document.measured.judge(gate)
    }
    let older = before.isEmpty ? nil : try Self.merged(before)
    try rendering.write(document, before: older)
    if common.json {
      Output.json(document.json)
    } else if !common.quiet {
      Output.result(ResultTables(document: document).text)
    }
    Annotations.write(document.verdicts, model: document.model)
    if document.hasFailed { throw CheckFailed() }
  }

  static func merged(_ paths: [String]) throws -> ResultDocument {
    try ResultDocument.merged(
      paths.map { path in
        do {
          let bytes = try FileSystem.contents(of: path, limit: 256 << 20)
          return (path, try ResultDocument(json: JSONDocument(parsing: bytes).value, subject: path))
        } catch let error as FormatError {
          throw error.inFile(path)
        }
      })
  }
}
