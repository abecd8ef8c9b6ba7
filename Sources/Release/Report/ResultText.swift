package import Verify

/// A result as plain text, for a terminal.
package struct ResultText {
  private let document: ResultDocument
  private let before: ResultDocument?
  private let style: TextStyle

  /// - Parameter before: the same measurements of the model before its patch.
  package init(_ document: ResultDocument, before: ResultDocument? = nil, style: TextStyle) {
    self.document = document
    self.before = before
    self.style = style
  }

  package var text: String {
    let tables = ResultTables(document, before: before)
    let sections: [[String]] =
      [incomplete]
      + tables.tables.map { table in
        [table.title] + indented(TextColumns.lines([table.header] + table.rows))
      } + ResultPlots(document: document, style: style).sections
      + [document.marks.isEmpty ? [] : [document.marks]]
      + [effectiveLengths(tables), failures, skipped, verdicts]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  private var incomplete: [String] {
    document.isComplete
      ? []
      : [style.coloured("INCOMPLETE", .red) + ": the run ended early; what is missing is not shown"]
  }

  private func indented(_ lines: [String]) -> [String] { lines.map { "  " + $0 } }

  /// Of a part of a grid no effective length is known.
  private func effectiveLengths(_ tables: ResultTables) -> [String] {
    let lines = document.shard == nil ? tables.effectiveLengths : []
    return lines.isEmpty ? [] : ["effective length"] + indented(lines)
  }

  private var failures: [String] {
    let lines = ResultCells(document.measured).failures
    return lines.isEmpty ? [] : ["not found"] + indented(lines)
  }

  private var skipped: [String] {
    let skipped = document.measured.skipped
    guard !skipped.isEmpty else { return [] }
    return ["not measured"] + skipped.map { "  \($0.task) at \($0.length): \($0.reason)" }
  }

  private var verdicts: [String] {
    if document.verdicts.isEmpty, document.shard == nil {
      return ["no gate: nothing was judged"]
    }
    return document.verdicts.map { verdict in
      let word = style.coloured(
        verdict.passes ? "passed" : "FAILED", verdict.passes ? .green : .red)
      return "\(word)  \(verdict.gate.text)  (\(verdict.worstText))"
    }
  }
}
