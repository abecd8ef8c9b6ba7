import Formats
import Verify

/// A ladder as one HTML file, as `HTMLReport` is one.
struct LadderHTML {
  let document: LadderDocument
  let tables: LadderTables

  var text: String {
    let title = "Ladder of \(tables.rungs.count) rungs"
    let sections = [head(title)] + failures + pictures + numbers + measured + files
    return HTML.page(title: title, sections)
  }

  private func head(_ title: String) -> String {
    let missing = tables.missing.map { "<p class=\"failed\">\(XML.escaped($0))</p>" } ?? ""
    let lines = [tables.headline, tables.criterion] + tables.marks.map { "Marks: \($0)." }
    return """
      <h1>\(title)</h1>
      <p>\(XML.escaped(lines.joined(separator: " ")))</p>\(missing)
      """
  }

  // MARK: Where rungs fail

  /// A row for each rung, and a coloured cell for each length.
  private var failures: [String] {
    guard !tables.rungs.isEmpty else { return [] }
    let rows = tables.rungs.map { rung in
      let cells = tables.lengths.map { length in
        Self.cell(rung.places.first { $0.length == length })
      }
      let heading = HTML.rowHeading("\(rung.model), \(rung.cache)")
      return "<tr>\(heading)\(cells.joined())</tr>"
    }
    return [
      "<h2>Where each rung fails</h2>",
      HTML.table(
        head: ["model, cache"] + tables.lengths.map { XML.escaped(tables.marked($0)) }, body: rows,
        caption: "By length in tokens. The divergence in nats per token, and what fails."),
    ]
  }

  private static func cell(_ place: LadderPlace?) -> String {
    guard let place else { return "<td>-</td>" }
    let value = place.retention.map { $0.divergence.rounded(toError: $0.divergence / 20) } ?? "-"
    let failed = place.failures.map(\.metric.rawValue).uniqued.joined(separator: ", ")
    let kind = place.failures.isEmpty ? "holds" : "fails"
    return "<td class=\"\(kind)\">\(value)\(failed.isEmpty ? "" : "<br>\(failed)")</td>"
  }

  // MARK: Pictures and numbers

  private var pictures: [String] {
    guard !tables.rungs.isEmpty else { return [] }
    let plot = LadderPlot(tables: tables)
    let figures = plot.figures.map { figure in
      HTML.figure(
        width: LadderPlot.width, height: LadderPlot.height, title: "\(figure.title), by length",
        figure.body)
    }
    let legend = HTML.figure(
      width: LadderPlot.width, height: plot.legend.height,
      title: "Colours of models and dashes of caches", plot.legend.body)
    return ["<h2>By length</h2>", "<div class=\"panels\">"] + figures + [legend, "</div>"]
  }

  private var numbers: [String] {
    guard !tables.rungs.isEmpty else { return [] }
    return [
      "<h2>All numbers</h2>",
      HTML.table(
        tables.header, tables.rungs.flatMap(tables.rows),
        caption: "Perplexity, ratio and divergence with their standard errors."),
    ]
  }

  // MARK: How it was measured

  private var measured: [String] {
    guard let first = document.rungs.first else { return [] }
    return HTMLReport(first).measurement
  }

  private var files: [String] {
    let files = document.rungs.flatMap(\.provenance.files).uniqued
    guard !files.isEmpty else { return [] }
    return ["<h2>Files</h2>", HTML.files(files)]
  }
}
