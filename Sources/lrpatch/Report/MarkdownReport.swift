import Formats
import Patch
import Verify

/// A result as Markdown, such as GitHub's step summary shows it.
struct MarkdownReport {
  let document: ResultDocument

  /// Of every such file.
  static let beginnings = ["# passed: ", "# FAILED: ", "# measured: "]

  var text: String {
    let tables = ResultTables(document: document)
    var parts = ["# \(verdict): \(Self.escaped(document.model))"]
    if !document.verdicts.isEmpty {
      parts.append(
        Self.table(
          ["gate", "", "worst"],
          document.verdicts.map { ["`\($0.gate.text)`", $0.passes ? "passed" : "**FAILED**", ResultTables.place($0)] },
          isCode: { $0.hasPrefix("`") }))
    }
    for table in tables.tables {
      parts.append("## \(table.title)")
      parts.append(Self.table(table.header, table.rows))
    }
    if !tables.effectiveLengths.isEmpty {
      parts.append("## effective length")
      parts.append("    " + tables.effectiveLengths.joined(separator: "\n    "))
    }
    for item in document.measured.skipped {
      parts.append("Not measured: \(item.task) at \(item.length): \(Self.escaped(item.reason))")
    }
    let original = document.measured.originalWindow
    parts.append("Original window \(original) tokens; lengths beyond it are marked *. lrpatch \(document.version).")
    return parts.joined(separator: "\n\n") + "\n"
  }

  private var verdict: String {
    document.verdicts.isEmpty ? "measured" : document.hasFailed ? "FAILED" : "passed"
  }

  private static func escaped(_ text: String) -> String {
    text.sanitized.replacing("|", with: "\\|").replacing("<", with: "&lt;")
  }

  /// - Parameter isCode: cells in which `<` is itself.
  private static func table(
    _ header: [String], _ rows: [[String]], isCode: (String) -> Bool = { _ in false }
  ) -> String {
    ([header, header.map { _ in "---" }]
      + rows.map { $0.map { isCode($0) ? $0.sanitized.replacing("|", with: "\\|") : escaped($0) } })
      .map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
  }
}
