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
      """
        + examples(
          ("the parts of a grid, as a page", "report part-*.json --html report.html"),
          (
            "before and after a patch",
            "report after.json --before before.json --markdown summary.md"
          )))

  @Argument(help: "Results that verify has written with -o or --json.", completion: .file())
  var results: [String]

  @Option(
    help: ArgumentHelp(
      """
      A gate in quotes, such as 'passkey>=95%' or 'perplexity@1k@vllm<=40'; may be repeated or separated by \
      commas.
      """,
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

  @Option(
    help: ArgumentHelp(
      "What factors sensitivity --json printed about the model's factors, to show in the HTML report.",
      valueName: "file"),
    completion: .file(extensions: ["json"]))
  var sensitivity: String?

  @OptionGroup(title: "Reports") var rendering: RenderingOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if results.isEmpty { throw ValidationError("a result is missing") }
    if noGates, !require.isEmpty {
      throw ValidationError("--no-gates and --require exclude each other")
    }
    if sensitivity != nil, rendering.html == nil {
      throw ValidationError("--sensitivity needs --html")
    }
    _ = try listed(require).map(gate)
  }

  func run() throws {
    try rendering.requireReplaceable()
    var document = try ResultDocument.merged(paths: results)
    document.verdicts = try verdicts(document)
    let older = before.isEmpty ? nil : try ResultDocument.merged(paths: before)
    if let older {
      let names = before.joined(separator: ", ")
      for line in try document.compare(withBefore: older, named: names) {
        common.note("\(line)")
      }
    }
    let matters = try sensitivity.map { path in
      let matters = try SensitivityDocument(path: path)
      try matters.require(factorsOf: document, path)
      return matters
    }
    try rendering.write(document, before: older, sensitivity: matters)
    if common.json {
      Output.json(document.json(before: older))
    } else {
      Output.result(ResultText(document, before: older, style: .terminal).text)
    }
    Annotations.write(document.verdicts, model: document.model)
    if document.hasFailed { throw CheckFailed() }
  }

  private func verdicts(_ document: ResultDocument) throws -> [Verdict] {
    if noGates { return [] }
    guard require.isEmpty else { return try listed(require).map(gate).map(document.measured.judge) }
    return try document.readGates(results.joined(separator: ", ")).map(document.measured.judge)
  }
}
