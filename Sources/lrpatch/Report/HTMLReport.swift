import Formats
import Foundation
import Patch
import Verify

/// A result as one HTML file that needs nothing else: no script, no network, light and dark, for screens and paper. Every
/// picture has its numbers as a table behind it.
struct HTMLReport {
  let document: ResultDocument
  /// The same measured before a patch.
  var before: ResultDocument?

  private var measured: Measurements { document.measured }
  private var tables: ResultTables { ResultTables(document: document) }

  /// Of every such file.
  static let beginning = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="generator" content="lrpatch">
    """

  var text: String {
    """
    \(Self.beginning)
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(verdict): \(XML.escaped(document.model))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    \(([head] + gates + heatMaps + perplexity + metrics + factors + runtimes + notes + provenance).joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  private static let style = """
    :root { color-scheme: light dark; --text: #1f2328; --ground: #ffffff; --line: #d1d9e0; --soft: #f6f8fa; --good: #1a7f37; --bad: #cf222e; --accent: #0969da; }
    @media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --ground: #0d1117; --line: #3d444d; --soft: #151b23; --good: #3fb950; --bad: #f85149; --accent: #4493f8; } }
    body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums; }
    caption { text-align: left; padding: .2rem 0; } th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: right; }
    th:first-child, td:first-child { text-align: left; } tbody th { font-weight: normal; } thead th { background: var(--soft); }
    .passed { color: var(--good); font-weight: 600; } .failed { color: var(--bad); font-weight: 600; }
    .pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
    .words td { text-align: left; min-width: 6rem; } .hash { font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere; }
    td.heat { color: #111; } figure { margin: .5rem 0; } svg { width: 100%; height: auto; color: var(--text); } svg .after { stroke: var(--accent); fill: none; } svg .before { stroke: var(--bad); fill: none; stroke-dasharray: 5 4; }
    @media print { body { font-size: 11px; } main { max-width: none; } h2 { break-after: avoid; } table, figure { break-inside: avoid; } }
    """

  private var verdict: String { document.verdicts.isEmpty ? "measured" : document.hasFailed ? "FAILED" : "passed" }

  private var head: String {
    let kind = document.verdicts.isEmpty ? "" : document.hasFailed ? "failed" : "passed"
    return
      "<h1><span class=\"\(kind)\">\(verdict)</span> \(XML.escaped(document.model))</h1>\n<p>Original window \(measured.originalWindow) tokens; lengths beyond it are marked *.\(document.isComplete ? "" : " The run ended early.")</p>"
  }

  private var gates: [String] {
    guard !document.verdicts.isEmpty else { return [] }
    let rows = document.verdicts.map { verdict in
      "<tr><td><code>\(XML.escaped(verdict.gate.text))</code></td><td class=\"\(verdict.passes ? "passed" : "failed")\">\(verdict.passes ? "passed" : "FAILED")</td><td>\(XML.escaped(ResultTables.place(verdict)))</td></tr>"
    }
    return [
      "<h2>Gates</h2>",
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">gate</th><th scope=\"col\">verdict</th><th scope=\"col\">worst</th></tr></thead><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>",
    ]
  }

  // MARK: Passkeys by length and depth

  private var heatMaps: [String] {
    guard !measured.passkeys.isEmpty else { return [] }
    let groups = groups { measured, runtime in
      measured.passkeys.filter { $0.runtime == runtime }.map { PasskeyPlace($0) }
    }
    return ["<h2>Passkeys found, by length and depth</h2>"]
      + groups.map { names in
        let caption = names.joined(separator: ", ")
        guard let before, before.measured.passkeys.contains(where: { $0.runtime == names[0] }) else {
          return Self.heatMap(measured, names[0], caption)
        }
        return "<div class=\"pair\">\n"
          + Self.heatMap(before.measured, names[0], "\(caption), before")
          + Self.heatMap(measured, names[0], "\(caption), after") + "</div>"
      }
  }

  private struct PasskeyPlace: Equatable {
    let length: Int
    let depth: Double
    let isExact: Bool

    init(_ result: Passkey.Result) {
      (length, depth, isExact) = (result.cell.length, result.cell.depth, result.isExact)
    }
  }

  /// Runtimes for which `values` are the same, before and after.
  private func groups<Value: Equatable>(_ values: (Measurements, String) -> [Value]) -> [[String]] {
    measured.runtimesAlike { runtime in
      let after = values(measured, runtime)
      return after.isEmpty ? nil : [after, before.map { values($0.measured, runtime) } ?? []]
    }.map(\.names)
  }

  private static func heatMap(_ measured: Measurements, _ runtime: String, _ caption: String) -> String {
    let results = measured.passkeys.filter { $0.runtime == runtime }
    let lengths = Set(results.map(\.cell.length)).sorted()
    let depths = Set(results.map(\.cell.depth)).sorted()
    let header = lengths.map { "<th scope=\"col\">\($0)\($0 > measured.originalWindow ? " *" : "")</th>" }.joined()
    let rows = depths.map { depth in
      let cells = lengths.map { length -> String in
        let here = results.filter { $0.cell.length == length && $0.cell.depth == depth }
        guard !here.isEmpty else { return "<td>-</td>" }
        let share = Double(here.count { $0.isExact }) / Double(here.count)
        return "<td class=\"heat\" style=\"background:\(colour(share))\">\(Int((share * 100).rounded())) %</td>"
      }
      return "<tr><th scope=\"row\">\(InspectReport.number((depth * 1000).rounded() / 10)) %</th>\(cells.joined())</tr>"
    }
    return
      "<div class=\"scroll\"><table><caption>\(XML.escaped(caption))</caption><thead><tr><th scope=\"col\">depth</th>\(header)</tr></thead><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }

  /// From orange to blue: told apart by everybody.
  private static func colour(_ share: Double) -> String {
    let (from, to) = ((230.0, 159.0, 80.0), (120.0, 190.0, 235.0))
    func mixed(_ a: Double, _ b: Double) -> Int { Int((a + (b - a) * share).rounded()) }
    return "rgb(\(mixed(from.0, to.0)),\(mixed(from.1, to.1)),\(mixed(from.2, to.2)))"
  }

  // MARK: Perplexity over length

  private var perplexity: [String] {
    guard !measured.perplexities.isEmpty else { return [] }
    let groups = groups { Self.points($0, $1) }
    return ["<h2>Perplexity by length</h2>"]
      + groups.compactMap { names in
        let own = Self.points(measured, names[0])
        guard own.count > 1 else { return nil }
        let older = before.map { Self.points($0.measured, names[0]) } ?? []
        return figure(names.joined(separator: ", "), [("after", own), ("before", older)].filter { !$0.1.isEmpty })
      }
  }

  private struct Point: Equatable {
    var length: Int
    var value: Double
    var error: Double
  }

  private static func points(_ measured: Measurements, _ runtime: String) -> [Point] {
    let results = measured.perplexities.map(\.result).filter { $0.runtime == runtime && $0.value.isFinite }
    return Dictionary(grouping: results, by: \.length).compactMap { length, here in
      here.max { $0.value < $1.value }.map { Point(length: length, value: $0.value, error: $0.standardError) }
    }.sorted { $0.length < $1.length }
  }

  private func figure(_ runtime: String, _ series: [(name: String, points: [Point])]) -> String {
    let (width, height, left, bottom) = (640.0, 240.0, 60.0, 30.0)
    let all = series.flatMap(\.points)
    let lengths = all.map { log2(Double($0.length)) } + [log2(Double(max(1, measured.originalWindow)))]
    let values = all.flatMap { [log10(max($0.value - $0.error, 1e-3)), log10($0.value + $0.error)] }
    let (x0, x1) = (lengths.min() ?? 0, max((lengths.max() ?? 1), (lengths.min() ?? 0) + 1e-6))
    let (y0, y1) = ((values.min() ?? 0) - 0.02, (values.max() ?? 1) + 0.02)
    func x(_ length: Double) -> Double { left + (log2(length) - x0) / (x1 - x0) * (width - left - 20) }
    func y(_ value: Double) -> Double { 10 + (y1 - log10(max(value, 1e-3))) / (y1 - y0) * (height - bottom - 10) }
    var parts = [
      SVG.line(left, height - bottom, width - 10, height - bottom), SVG.line(left, 10, left, height - bottom),
      SVG.line(
        x(Double(measured.originalWindow)), 10, x(Double(measured.originalWindow)), height - bottom, dash: "2 3"),
      SVG.text(x(Double(measured.originalWindow)) + 3, 20, "original window"),
    ]
    for length in Set(all.map(\.length)).sorted() {
      parts.append(SVG.text(x(Double(length)) - 12, height - 10, String(length)))
    }
    for step in 0...3 {
      let value = pow(10, y0 + (y1 - y0) * Double(step) / 3)
      parts.append(SVG.text(4, y(value) + 4, String(format: "%.4g", value)))
    }
    for (name, points) in series {
      let line = points.map { "\(SVG.number(x(Double($0.length)))),\(SVG.number(y($0.value)))" }.joined(separator: " ")
      parts.append("<polyline class=\"\(name)\" stroke-width=\"2\" points=\"\(line)\"/>")
      for point in points {
        let at = SVG.number(x(Double(point.length)))
        parts.append(
          "<path class=\"\(name)\" stroke-width=\"1.5\" d=\"M\(at) \(SVG.number(y(point.value - point.error)))V\(SVG.number(y(point.value + point.error)))\"/>"
        )
      }
    }
    let title = "Perplexity of \(runtime) by length, with standard errors"
    return
      "<figure><svg viewBox=\"0 0 \(SVG.number(width)) \(SVG.number(height))\" role=\"img\" aria-label=\"\(XML.escaped(title))\"><title>\(XML.escaped(title))</title>\n\(parts.joined(separator: "\n"))\n</svg><figcaption>\(XML.escaped(runtime))\(series.count > 1 ? "; dashed: before" : "")</figcaption></figure>"
  }

  // MARK: The rest

  private var metrics: [String] {
    let older = before.map { ResultTables(document: $0).tables } ?? []
    return tables.tables.flatMap { table -> [String] in
      let earlier = older.first { $0.metric == table.metric }.map { Self.table($0, caption: "before") }
      return ["<h2>\(XML.escaped(table.title))</h2>"] + (earlier.map { [$0] } ?? [])
        + [Self.table(table, caption: before == nil ? "" : "after")]
    }
  }

  private static func table(_ table: ResultTables.Table, caption: String) -> String {
    Self.table(table.header, table.rows, caption: caption)
  }

  /// The first cell of a row names it.
  static func table(_ header: [String], _ rows: [[String]], caption: String = "") -> String {
    let header = header.map { "<th scope=\"col\">\(XML.escaped($0))</th>" }.joined()
    let rows = rows.map { row in
      "<tr><th scope=\"row\">\(XML.escaped(row.first ?? ""))</th>"
        + row.dropFirst().map { "<td>\(XML.escaped($0))</td>" }.joined() + "</tr>"
    }
    return
      "<div class=\"scroll\"><table>\(caption.isEmpty ? "" : "<caption>\(XML.escaped(caption))</caption>")<thead><tr>\(header)</tr></thead><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }

  private var notes: [String] {
    let effective = tables.effectiveLengths
    let lines =
      measured.skipped.map { "Not measured: \($0.task) at \($0.length): \($0.reason)" }
      + document.unfollowed.map { "Not followed: \($0.runtime): \($0.reason)" }
    return
      (effective.isEmpty
      ? [] : ["<h2>Effective length</h2>", "<pre>\(XML.escaped(effective.joined(separator: "\n")))</pre>"])
      + (lines.isEmpty
        ? [] : ["<h2>Left out</h2>", "<ul>\(lines.map { "<li>\(XML.escaped($0))</li>" }.joined())</ul>"])
  }
}
