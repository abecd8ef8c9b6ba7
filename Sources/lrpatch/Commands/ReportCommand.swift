import ArgumentParser
import Formats
import Models
import Release
import Verify

struct ReportCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Merges saved results of verify, judges the whole, and renders it.",
    discussion: """
      The parts of a grid (verify --shard) must all be there, once. Results of different tasks of \
      one model can be merged too. Exit 1 when a gate fails.
      """)

  @Argument(help: "Results that verify has written with -o or --json.", completion: .file())
  var results: [String]

  @Option(
    help: ArgumentHelp(
      "A gate, such as passkey>=0.95 or perplexity@1k@vllm<=40; may be repeated.",
      valueName: "gate"))
  var require: [String] = []

  @Flag(
    help: """
      Only merge and render. Without it and without --require, the gates of the saved results are \
      judged again.
      """)
  var noGates = false

  @Option(
    help: ArgumentHelp(
      "A result of the model before its patch, to show next to it; may be repeated.",
      valueName: "result"),
    completion: .file())
  var before: [String] = []

  @OptionGroup var rendering: RenderingOptions

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if results.isEmpty { throw ValidationError("a result is missing") }
    if noGates, !require.isEmpty {
      throw ValidationError("--no-gates and --require exclude each other")
    }
    for gate in require where VerifyCommand.gate(gate) == nil {
      throw ValidationError("'\(gate)' is not a gate, such as passkey@32k>=0.95")
    }
  }

  func run() throws {
    try rendering.requireReplaceable()
    var document = try ResultDocument.merged(paths: results)
    document.verdicts = try verdicts(document)
    let older = before.isEmpty ? nil : try ResultDocument.merged(paths: before)
    try rendering.write(document, before: older)
    if common.json {
      Output.json(document.json)
    } else if !common.quiet {
      Output.result(ResultText(document, style: .terminal).text)
    }
    Annotations.write(document.verdicts, model: document.model)
    if document.hasFailed { throw CheckFailed() }
  }

  private func verdicts(_ document: ResultDocument) throws -> [Verdict] {
    let texts = noGates ? [] : require.isEmpty ? document.savedGates : require
    return try texts.map { text in
      guard let gate = VerifyCommand.gate(text) else {
        throw ModelError.unsupported(
          results.joined(separator: ", "),
          "its gate '\(text.sanitized)' cannot be read; name gates with --require")
      }
      return document.measured.judge(gate)
    }
  }
}
