import ArgumentParser
import Formats
import Patch
import Verify

/// Files that a result is rendered into.
struct RenderingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write a report as one HTML file.", valueName: "file"), completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write JUnit's XML: a case for each gate and cell.", valueName: "file"), completion: .file())
  var junit: String?

  @Option(
    help: ArgumentHelp("Write a summary as Markdown, for GitHub's step summary too.", valueName: "file"),
    completion: .file())
  var markdown: String?

  var paths: [String] { [html, junit, markdown].compactMap(\.self) }

  func validate() throws {
    let paths = [html, junit, markdown].compactMap(\.self)
    if paths.contains("") { throw ValidationError("a rendering needs a name") }
    if Set(paths.map(FileSystem.canonical)).count < paths.count {
      throw ValidationError("two outputs have the same name")
    }
  }

  private var files: [(kind: Rendering, path: String)] {
    [(.html, html), (.junit, junit), (.markdown, markdown)].compactMap { kind, path in path.map { (kind, $0) } }
  }

  /// - Throws: `PatchError` of kind unsafe for a path where something else is than an older rendering.
  func requireReplaceable() throws { for file in files { try file.kind.requireReplaceable(file.path) } }

  /// Older renderings give way.
  func write(_ document: ResultDocument, before: ResultDocument? = nil) throws {
    for (kind, path) in files {
      let text =
        switch kind {
        case .html: HTMLReport(document: document, before: before).text
        case .junit: JUnitReport(document).text
        case .markdown: MarkdownReport(document: document).text
        }
      try kind.replace(path, by: text)
    }
  }
}

/// A file that something is rendered into.
enum Rendering {
  case html, junit, markdown

  /// How those of this program begin; only such a file gives way.
  private var beginnings: [String] {
    switch self {
    case .html: [HTMLReport.beginning]
    case .junit: [JUnitReport.beginning]
    case .markdown: [MarkdownReport.beginning]
    }
  }

  /// - Throws: `PatchError` of kind unsafe for a path where something else is than an older rendering.
  func requireReplaceable(_ path: String) throws {
    // A file beside it can be made and is gone again: what would keep it from being written is known before the work.
    _ = try OutputFile(path: path)
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return }
    let head = status.kind == .file ? try Descriptor(path: path, .read).read(at: 0, count: min(400, status.size)) : []
    let text = String(decoding: head, as: UTF8.self)
    guard status.kind == .file, text.isEmpty || beginnings.contains(where: { text.hasPrefix($0) }) else {
      throw PatchError.unsafe(path, "exists already and is no such report of this program; name a new path")
    }
  }

  func replace(_ path: String, by text: String) throws {
    try requireReplaceable(path)
    try OutputFile.replace(path, by: Array(text.utf8))
  }
}

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
    document.verdicts = gates.compactMap(VerifyCommand.gate).map(document.measured.judge)
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
