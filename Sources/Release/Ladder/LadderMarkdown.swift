import Verify

/// A ladder as Markdown.
///
/// Text from models is escaped.
struct LadderMarkdown {
  let tables: LadderTables

  var text: String {
    let rows = tables.rungs.flatMap(tables.rows)
    let parts =
      ["# Ladder", Markdown.escaped(tables.headline), Markdown.escaped(tables.criterion)]
      + [tables.missing.map { "**\(Markdown.escaped($0))**" }].compactMap(\.self)
      + [Self.table(LadderTables.failureHeader, tables.failures), Self.table(tables.header, rows)]
      + tables.marks.map(Markdown.escaped)
    return MarkdownReport.beginning + parts.joined(separator: "\n\n") + "\n"
  }

  private static func table(_ header: [String], _ rows: [[String]]) -> String {
    Markdown.table(header.map(Markdown.escaped), rows.map { $0.map(Markdown.escaped) })
      .joined(separator: "\n")
  }
}
