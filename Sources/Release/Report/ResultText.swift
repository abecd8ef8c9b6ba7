package import Verify

/// A result as plain text, for a terminal.
package struct ResultText {
  private let document: ResultDocument
  private let style: TextStyle

  package init(_ document: ResultDocument, style: TextStyle) {
    self.document = document
    self.style = style
  }

  package var text: String {
    let tables = ResultTables(document)
    let sections: [[String]] =
      tables.tables.map { table in
        [table.title] + indented(TextColumns.lines([table.header] + table.rows))
      } + ResultPlots(measured: document.measured, style: style).sections
      + [effectiveLengths(tables), skipped, verdicts]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  private func indented(_ lines: [String]) -> [String] { lines.map { "  " + $0 } }

  /// Of a part of a grid no effective length is known.
  private func effectiveLengths(_ tables: ResultTables) -> [String] {
    let lines = document.shard == nil ? tables.effectiveLengths : []
    return lines.isEmpty ? [] : ["effective length"] + indented(lines)
  }

  private var skipped: [String] {
    let skipped = document.measured.skipped
    guard !skipped.isEmpty else { return [] }
    return ["not measured"] + skipped.map { "  \($0.task) at \($0.length): \($0.reason)" }
  }

  private var verdicts: [String] {
    document.verdicts.map { verdict in
      let word = style.coloured(
        verdict.passes ? "passed" : "FAILED", verdict.passes ? .green : .red)
      return "\(word)  \(verdict.gate.text)  (\(verdict.worstText))"
    }
  }
}
