import Formats
import Patch
import Verify

/// A result as Markdown, such as GitHub's step summary shows it.
struct MarkdownReport {
  let document: ResultDocument

  /// Of every such file; not shown.
  static let beginning = "<!-- lrpatch report -->\n"

  var text: String {
    let tables = ResultTables(document: document)
    var parts = ["# \(verdict): \(Markdown.escaped(document.model))"]
    if !document.verdicts.isEmpty {
      let rows = document.verdicts.map {
        [
          Markdown.code($0.gate.text), $0.passes ? "passed" : "**FAILED**", Markdown.escaped(ResultTables.place($0)),
        ]
      }
      parts.append(Self.table(["gate", "verdict", "worst"], rows))
    }
    for table in tables.tables {
      parts.append("## \(Markdown.escaped(table.title))")
      parts.append(
        Self.table(table.header.map(Markdown.escaped), table.rows.map { $0.map(Markdown.escaped) }))
    }
    if !tables.effectiveLengths.isEmpty {
      parts.append("## effective length")
      parts.append("    " + tables.effectiveLengths.joined(separator: "\n    "))
    }
    for item in document.measured.skipped {
      parts.append(
        "Not measured: \(Markdown.escaped(item.task)) at \(item.length): \(Markdown.escaped(item.reason))")
    }
    let original = document.measured.originalWindow
    parts.append(
      "Original window \(original) tokens; lengths beyond it are marked \\*. lrpatch \(Markdown.escaped(document.version))."
    )
    return Self.beginning + parts.joined(separator: "\n\n") + "\n"
  }

  private var verdict: String {
    document.verdicts.isEmpty ? "measured" : document.hasFailed ? "FAILED" : "passed"
  }

  private static func table(_ header: [String], _ rows: [[String]]) -> String {
    Markdown.table(header, rows).joined(separator: "\n")
  }
}
