public import Verify

/// A result as Markdown, as GitHub's step summary shows it.
///
/// Text from the model or the result is escaped.
public struct MarkdownReport: Sendable {
  private let document: ResultDocument
  /// The same measurements before the patch.
  private let before: ResultDocument?

  /// Creates the report of a result.
  /// - Parameter before: the same measurements of the model before its patch.
  public init(_ document: ResultDocument, before: ResultDocument? = nil) {
    self.document = document
    self.before = before
  }

  /// How every such file begins; it is not shown.
  static let beginning = "<!-- lrpatch report -->\n"

  /// The whole file.
  public var text: String {
    let tables = ResultTables(document, before: before)
    let parts =
      ["# \(document.verdict): \(Markdown.escaped(document.model))"]
      + [document.headline(before: before).map(Markdown.escaped)].compactMap(\.self) + gates
      + tables.tables.flatMap(section) + effectiveLengths(tables) + skipped + [end]
    return Self.beginning + parts.joined(separator: "\n\n") + "\n"
  }

  private var gates: [String] {
    guard !document.verdicts.isEmpty else { return ["No gate: nothing was judged."] }
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
    let marks = document.marks.isEmpty ? "" : Markdown.escaped(document.marks) + ". "
    let older = before.map { before -> String in
      let notes = (try? document.compare(withBefore: before, named: "")) ?? []
      let all = ["\(before.model), lrpatch \(before.version)"] + notes
      return " Before: \(Markdown.escaped(all.joined(separator: "; ")))."
    }
    return "\(marks)lrpatch \(Markdown.escaped(document.version)).\(older ?? "")"
  }
}
