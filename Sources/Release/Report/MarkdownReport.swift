public import Verify

/// A result as Markdown, as GitHub's step summary shows it.
///
/// Text from the model or the result is escaped.
public struct MarkdownReport: Sendable {
  private let document: ResultDocument

  /// Creates the report of a result.
  public init(_ document: ResultDocument) { self.document = document }

  /// How every such file begins; it is not shown.
  static let beginning = "<!-- lrpatch report -->\n"

  /// The whole file.
  public var text: String {
    let tables = ResultTables(document)
    let parts =
      ["# \(document.verdict): \(Markdown.escaped(document.model))"] + gates
      + tables.tables.flatMap(section) + effectiveLengths(tables) + skipped + [end]
    return Self.beginning + parts.joined(separator: "\n\n") + "\n"
  }

  private var gates: [String] {
    guard !document.verdicts.isEmpty else { return [] }
    let rows = document.verdicts.map { verdict in
      [
        Markdown.code(verdict.gate.text), verdict.passes ? "passed" : "**FAILED**",
        Markdown.escaped(verdict.worstText),
      ]
    }
    return [Markdown.table(["gate", "verdict", "worst"], rows).joined(separator: "\n")]
  }

  private func section(_ table: ResultTables.Table) -> [String] {
    [
      "## \(Markdown.escaped(table.title))",
      Markdown.table(
        table.header.map(Markdown.escaped), table.rows.map { $0.map(Markdown.escaped) }
      ).joined(separator: "\n"),
    ]
  }

  private func effectiveLengths(_ tables: ResultTables) -> [String] {
    let lines = tables.effectiveLengths
    return lines.isEmpty
      ? [] : ["## effective length", "    " + lines.joined(separator: "\n    ")]
  }

  private var skipped: [String] {
    document.measured.skipped.map { item in
      let (task, reason) = (Markdown.escaped(item.task), Markdown.escaped(item.reason))
      return "Not measured: \(task) at \(item.length): \(reason)"
    }
  }

  private var end: String {
    """
    Original window \(document.measured.originalWindow) tokens; lengths beyond it are marked \\*. \
    lrpatch \(Markdown.escaped(document.version)).
    """
  }
}
