import ArgumentParser
import Formats
import Patch
import Verify

/// Files that a result is rendered into.
struct RenderingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write a report as one HTML file.", valueName: "file"))
  var html: String?

  @Option(help: ArgumentHelp("Write JUnit's XML: a case for each gate and cell.", valueName: "file"))
  var junit: String?

  @Option(help: ArgumentHelp("Write a summary as Markdown, for GitHub's step summary too.", valueName: "file"))
  var markdown: String?

  func validate() throws {
    let paths = [html, junit, markdown].compactMap(\.self)
    if paths.contains("") { throw ValidationError("a rendering needs a name") }
    if Set(paths).count < paths.count { throw ValidationError("two renderings have the same name") }
  }

  /// How renderings of ours begin; only such a file gives way.
  private var marks: [(path: String?, beginnings: [String])] {
    [
      (html, [HTMLReport.beginning]), (junit, [JUnitReport.beginning]), (markdown, MarkdownReport.beginnings),
    ]
  }

  /// - Throws: `PatchError` of kind unsafe for a path where something else is than an older rendering.
  func requireReplaceable() throws {
    for case (let path?, let beginnings) in marks {
      guard let status = try? FileStatus(of: path, followingLinks: false) else { continue }
      let head = status.kind == .file ? try Descriptor(path: path, .read).read(at: 0, count: min(400, status.size)) : []
      let text = String(decoding: head, as: UTF8.self)
      guard status.kind == .file, text.isEmpty || beginnings.contains(where: { text.hasPrefix($0) }) else {
        throw PatchError.unsafe(path, "exists already and is no such report of this program; name a new path")
      }
    }
  }

  /// Older renderings give way.
  func write(_ document: ResultDocument, before: ResultDocument? = nil) throws {
    try requireReplaceable()
    for (path, text) in [
      (html, { HTMLReport(document: document, before: before).text }),
      (junit, { JUnitReport(document: document).text }),
      (markdown, { MarkdownReport(document: document).text }),
    ] { if let path { try OutputFile.replace(path, by: Array(text().utf8)) } }
  }
}

struct ReportCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Merges saved results of verify, judges the whole, and renders it.",
    discussion: """
      The parts of a grid (verify --shard) must all be there, once. Results of different tasks of one model can be merged \
      too. Exit 1 when a gate fails.
      """)

  @Argument(help: "Results that verify has written with -o or --json.")
  var results: [String]

  @Option(
    help: ArgumentHelp("A gate, such as passkey>=0.95 or perplexity@1k@vllm<=40; may be repeated.", valueName: "gate")
  )
  var require: [String] = []

  @Option(
    help: ArgumentHelp(
      "A result of the model before its patch, to show beside it; may be repeated.", valueName: "result"))
  var before: [String] = []

  @OptionGroup var rendering: RenderingOptions

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if results.isEmpty { throw ValidationError("a result is missing") }
    for gate in require where VerifyCommand.gate(gate) == nil {
      throw ValidationError("'\(gate)' is no gate, such as passkey@32k>=0.95")
    }
  }

  func run() throws {
    try rendering.requireReplaceable()
    var document = try Self.merged(results)
    document.verdicts = require.compactMap(VerifyCommand.gate).map(document.measured.judge)
    let older = before.isEmpty ? nil : try Self.merged(before)
    try rendering.write(document, before: older)
    if common.json {
      Output.json(document.json)
    } else if !common.quiet {
      Output.result(ResultTables(document: document).text)
    }
    if document.hasFailed { throw CheckFailed() }
  }

  private static func merged(_ paths: [String]) throws -> ResultDocument {
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
