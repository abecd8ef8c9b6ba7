public import Verify

/// A result as one HTML file that needs nothing else: no script and no network.
///
/// It is shown light or dark, as the reader's system asks for it, and can be printed. Every picture
/// has its numbers as a table. Text from the model or the result is escaped.
public struct HTMLReport: Sendable {
  let document: ResultDocument
  /// The same measurements before the patch.
  let before: ResultDocument?

  var measured: Measurements { document.measured }

  /// Creates the report of a result.
  /// - Parameter before: the same measurements of the model before its patch, to show next to
  ///   these.
  public init(_ document: ResultDocument, before: ResultDocument? = nil) {
    self.document = document
    self.before = before
  }

  /// How every such file begins.
  static let beginning = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="generator" content="lrpatch">
    """

  /// The whole file.
  public var text: String {
    let sections =
      [head] + gates + heatMaps + perplexity + metrics + factors + runtimes + notes + provenance
    return """
      \(Self.beginning)
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(document.verdict): \(XML.escaped(document.model))</title>
      <style>
      \(HTMLStyle.css)
      </style>
      </head>
      <body>
      <main>
      \(sections.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  private var head: String {
    let kind = document.verdicts.isEmpty ? "" : document.hasFailed ? "failed" : "passed"
    let end = document.isComplete ? "" : " The run ended early."
    return """
      <h1><span class="\(kind)">\(document.verdict)</span> \(XML.escaped(document.model))</h1>
      <p>Original window \(measured.originalWindow) tokens; lengths beyond it are marked *.\(end)</p>
      """
  }

  private var gates: [String] {
    guard !document.verdicts.isEmpty else { return [] }
    let rows = document.verdicts.map { verdict in
      let word = verdict.passes ? "passed" : "FAILED"
      return """
        <tr><td><code>\(XML.escaped(verdict.gate.text))</code></td>\
        <td class="\(word.lowercased())">\(word)</td>\
        <td>\(XML.escaped(verdict.worstText))</td></tr>
        """
    }
    return ["<h2>Gates</h2>", HTML.table(head: ["gate", "verdict", "worst"], body: rows)]
  }

  /// Groups of runtimes for which `values` are equal, before and after.
  func groups<Value: Equatable>(_ values: (Measurements, String) -> [Value]) -> [[String]] {
    measured.runtimesAlike { runtime in
      let after = values(measured, runtime)
      return after.isEmpty ? nil : [after, before.map { values($0.measured, runtime) } ?? []]
    }.map(\.names)
  }

  private var metrics: [String] {
    let older = before.map { ResultTables($0).tables } ?? []
    return ResultTables(document).tables.flatMap { table -> [String] in
      let earlier = older.filter { $0.metric == table.metric }.prefix(1)
      return ["<h2>\(XML.escaped(table.title))</h2>"]
        + earlier.map { HTML.table($0.header, $0.rows, caption: "before") }
        + [HTML.table(table.header, table.rows, caption: before == nil ? "" : "after")]
    }
  }

  private var notes: [String] {
    let effective = XML.escaped(ResultTables(document).effectiveLengths.joined(separator: "\n"))
    let lines =
      measured.skipped.map { "Not measured: \($0.task) at \($0.length): \($0.reason)" }
      + document.unfollowed.map { "Not followed: \($0.runtime): \($0.reason)" }
    let items = lines.map { "<li>\(XML.escaped($0))</li>" }.joined()
    return (effective.isEmpty ? [] : ["<h2>Effective length</h2>", "<pre>\(effective)</pre>"])
      + (lines.isEmpty ? [] : ["<h2>Left out</h2>", "<ul>\(items)</ul>"])
  }
}
