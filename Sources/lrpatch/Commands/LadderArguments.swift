import ArgumentParser
import Formats
import Numerics
import Release
import Verify

// The options of `ladder` in groups.

/// What `ladder` measures of each rung.
struct LadderMeasurementArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Lengths in tokens, separated by commas; default L0/2, L0, then doubling to the window.",
      valueName: "lengths"))
  var lengths: String?

  @Option(
    help: ArgumentHelp(
      """
      Tasks of RULER that need more than finding: \(names.joined(separator: ", ")); may be repeated or \
      separated by commas. (default: \(LadderOptions(models: []).tasks.map(\.rawValue).joined(separator: ",")))
      """,
      valueName: "task"), completion: .list(names))
  var task: [String] = []

  private static let names = RULERTask.withoutFile.map(\.rawValue)

  @Option(help: "Depths at which passkeys are hidden.")
  var depths = LadderOptions(models: []).depths

  @Option(
    help: """
      Passkeys for each length and depth; default: 3 for lengths of up to \(TaskGrid.smallLength) \
      tokens, else 1.
      """)
  var samples: Int?

  @Option(help: ArgumentHelp("Prompts of each task at each length.", valueName: "count"))
  var prompts = LadderOptions(models: []).prompts

  @Option(
    help: ArgumentHelp(
      """
      A text over which perplexity and divergence are measured; may be repeated. Default: a book that \
      ships with the program.
      """,
      valueName: "file"), completion: .file())
  var perplexity: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      The most windows of the texts at each length; default: as many as score \
      \(Perplexity.tokenBudget) tokens.
      """,
      valueName: "count"))
  var windows: Int?

  @Option(help: "The seed of the prompts.")
  var seed: UInt64 = 0

  func tasks() throws -> [RULERTask]? {
    guard !task.isEmpty else { return nil }
    return try listed(task).map { name in
      guard let task = RULERTask(rawValue: name) else {
        throw unknown(name, of: "--task", Self.names)
      }
      return task
    }.uniqued
  }
}

/// When a rung counts as failed.
struct LadderLimitArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      A limit of each length, in quotes, as a gate of verify; may be repeated or separated by commas. \
      Default: \(LadderOptions.defaultGates.joined(separator: ", ")).
      """,
      valueName: "gate"))
  var require: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      The share of the first rung's passkeys and answers that a rung must reach. (default: \
      \(LadderOptions.defaultKeep))
      """,
      valueName: "share"))
  var keep: Share?
}

/// Files into which a ladder is written.
struct LadderRenderingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("Write a report as one HTML file.", valueName: "file"), completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write tables as Markdown.", valueName: "file"), completion: .file())
  var markdown: String?

  @Option(
    help: ArgumentHelp("Write a line for each rung and length as CSV.", valueName: "file"),
    completion: .file())
  var csv: String?

  @Option(
    help: ArgumentHelp("Draw all quantities over length.", valueName: "file"), completion: .file())
  var svg: String?

  private var files: [(format: LadderFormat, path: String)] {
    [(.html, html), (.markdown, markdown), (.csv, csv), (.svg, svg)].compactMap { format, path in
      path.map { (format, $0) }
    }
  }

  var paths: [String] { files.map(\.path) }

  /// - Throws: `ModelError` of kind `unsafe` if a path holds anything but an older file of its form.
  func requireReplaceable() throws {
    for file in files { try file.format.requireReplaceable(file.path) }
  }

  /// Writes the files, or replaces older ones.
  func write(_ document: LadderDocument) throws {
    for (format, path) in files { try format.write(format.text(of: document), to: path) }
  }
}
