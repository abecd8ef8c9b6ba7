import Formats
public import Verify

/// A result as one HTML file that needs nothing else: no script and no network.
///
/// It is shown light or dark, as the reader's system asks for it, and can be printed. Every picture
/// has its numbers as a table. Text from the model or the result is escaped.
public struct HTMLReport: Sendable {
  let document: ResultDocument
  /// The same measurements before the patch.
  let before: ResultDocument?
  /// Which of the factors matter.
  let sensitivity: SensitivityDocument?

  var measured: Measurements { document.measured }

  /// Creates the report of a result.
  /// - Parameters:
  ///   - before: the same measurements of the model before its patch, to show next to these.
  ///   - sensitivity: which of the factors matter.
  public init(
    _ document: ResultDocument, before: ResultDocument? = nil,
    sensitivity: SensitivityDocument? = nil
  ) {
    self.document = document
    self.before = before
    self.sensitivity = sensitivity
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
      [head] + gates + passkeyCurves + perplexity + heatMaps + tables(isRetention: false)
      + effectiveLength + factors + sensitivitySection + tables(isRetention: true) + runtimes + gaps
      + notes + provenance
    return HTML.page(title: "\(document.verdict): \(document.model)", sections)
  }

  private var head: String {
    let kind =
      document.isComplete
      ? document.verdicts.isEmpty ? "" : document.hasFailed ? "failed" : "passed" : "failed"
    let lines = [windows, document.occasion]
    let found = document.headline(before: before).map {
      // A number stays with its sign at the end of a line.
      "<p class=\"headline\">\(XML.escaped($0.replacing(" %", with: "\u{a0}%")))</p>\n"
    }
    let end =
      document.isComplete
      ? "" : "<p class=\"failed\">The run ended early; what is missing is not shown.</p>"
    return """
      <h1><span class="\(kind)">\(document.verdict)</span> \(XML.escaped(document.model))</h1>
      \(found ?? "")<p>\(XML.escaped(lines.filter { !$0.isEmpty }.joined(separator: " ")))</p>\(end)
      """
  }

  /// The windows, the factors and the meaning of the marks.
  private var windows: String {
    let original = measured.originalWindow
    let window = document.window.map { window in
      window == original
        ? "Window \(window) tokens."
        : "Window \(window) tokens, \((Double(window) / Double(original)).sixDigits) times the original \(original)."
    }
    let hash = document.inspection["patched_by"]?["factors_sha256"]?.text
    let factors = hash.map { "Factors with SHA-256 \($0.prefix(12))..." }
    let marks = document.marks.isEmpty ? nil : "Marks: \(document.marks)."
    return [window, factors, marks].compactMap(\.self).joined(separator: " ")
  }

  private var gates: [String] {
    guard !document.verdicts.isEmpty else { return ["<p>No gate: nothing was judged.</p>"] }
    let rows = document.verdicts.map { verdict in
      let word = verdict.passes ? "passed" : "FAILED"
      return """
        <tr><td><code>\(XML.escaped(verdict.gate.text))</code></td>\
        <td class="\(word.lowercased())">\(word)</td>\
        <td>\(XML.escaped(verdict.worstText))</td></tr>
        """
    }
    return [
      "<h2>Gates</h2>", HTML.table(head: ["gate", "verdict", "worst"], body: rows, of: .gates),
    ]
  }

  /// Groups of runtimes for which `values` are equal, before and after.
  func groups<Value: Equatable>(_ values: (Measurements, String) -> [Value]) -> [[String]] {
    measured.runtimesAlike { runtime in
      let after = values(measured, runtime)
      return after.isEmpty ? nil : [after, before.map { values($0.measured, runtime) } ?? []]
    }.map(\.names)
  }

  /// - Parameter isRetention: whether the comparisons with a baseline are wanted, or the others.
  private func tables(isRetention: Bool) -> [String] {
    ResultTables(document, before: before).tables.filter {
      !isInHeatMap($0.metrics) && $0.isOfRetention == isRetention
    }.flatMap { table in
      ["<h2>\(XML.escaped(table.title))</h2>", HTML.table(table.header, table.rows, caption: "")]
    }
  }

  /// Whether the heat maps show the metrics of a table already.
  private func isInHeatMap(_ metrics: [Metric]) -> Bool {
    metrics == [.passkey] && Set(measured.passkeys.map(\.cell.depth)).count > 1
  }

  private var effectiveLength: [String] {
    let text = XML.escaped(ResultTables(document).effectiveLengths.joined(separator: "\n"))
    return text.isEmpty ? [] : ["<h2>Effective length</h2>", "<pre>\(text)</pre>"]
  }

  private var gaps: [String] { Self.list("What was not measured", document.gaps) }

  private var notes: [String] {
    guard let before else { return [] }
    let files = before.provenance.files.map { "\($0.sha256.prefix(12))... (\($0.name))" }
    let first =
      "Before: \(before.model), measured alike by lrpatch \(before.version) on files with SHA-256 "
      + files.joined(separator: ", ")
    return Self.list(
      "Notes", [first] + ((try? document.compare(withBefore: before, named: "")) ?? []))
  }

  private static func list(_ heading: String, _ lines: [String]) -> [String] {
    guard !lines.isEmpty else { return [] }
    return [
      "<h2>\(heading)</h2>",
      "<ul>\(lines.map { "<li>\(XML.escaped($0))</li>" }.joined())</ul>",
    ]
  }
}

extension ResultTables.Table {
  /// Whether it compares with a baseline.
  fileprivate var isOfRetention: Bool {
    metrics.allSatisfy { metric in
      metric.isOfBenchmarks || [.perplexityRatio, .divergence, .agreement].contains(metric)
    }
  }
}
