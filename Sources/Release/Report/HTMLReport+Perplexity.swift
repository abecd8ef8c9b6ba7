import Foundation
import Verify

/// Perplexity by length, as plots with standard errors. Runtimes with equal results share one.
extension HTMLReport {
  var perplexity: [String] {
    guard !measured.perplexities.isEmpty else { return [] }
    let groups = groups { PerplexityPlot.points($0, $1) }
    return ["<h2>Perplexity by length</h2>"]
      + groups.compactMap { names in
        let own = PerplexityPlot.points(measured, names[0])
        guard own.count > 1 else { return nil }
        let older = before.map { PerplexityPlot.points($0.measured, names[0]) } ?? []
        return PerplexityPlot(
          title: names.joined(separator: ", "), originalWindow: measured.originalWindow,
          series: [("after", own), ("before", older)].filter { !$0.1.isEmpty }
        ).figure
      }
  }
}

/// Perplexities over lengths, both on logarithmic scales.
private struct PerplexityPlot {
  struct Point: Equatable {
    var length: Int
    var value: Double
    var error: Double
  }

  let title: String
  let originalWindow: Int
  let series: [(name: String, points: [Point])]

  private static let width = 640.0
  private static let height = 270.0
  /// Room for the title of the vertical axis.
  private static let top = 24.0
  private static let left = 60.0
  /// Room for the lengths and the title of the horizontal axis.
  private static let bottom = 46.0

  /// One point for each length: of several texts, the worst.
  static func points(_ measured: Measurements, _ runtime: String) -> [Point] {
    let results = measured.perplexities.map(\.result).filter {
      $0.runtime == runtime && $0.value.isFinite
    }
    return Dictionary(grouping: results, by: \.length).compactMap { length, here in
      here.max { $0.value < $1.value }.map {
        Point(length: length, value: $0.value, error: $0.standardError)
      }
    }.sorted { $0.length < $1.length }
  }

  private var all: [Point] { series.flatMap(\.points) }

  /// The base-2 logarithms of the lengths at both ends of the horizontal axis.
  private var lengths: (low: Double, high: Double) {
    let all = all.map { log2(Double($0.length)) } + [log2(Double(max(1, originalWindow)))]
    let low = all.min() ?? 0
    return (low, max(all.max() ?? 1, low + 1e-6))
  }

  /// The base-10 logarithms of the perplexities at both ends of the vertical axis.
  private var values: (low: Double, high: Double) {
    let all = all.flatMap { [log10(max($0.value - $0.error, 1e-3)), log10($0.value + $0.error)] }
    return ((all.min() ?? 0) - 0.02, (all.max() ?? 1) + 0.02)
  }

  private func x(_ length: Int) -> Double {
    let (low, high) = lengths
    return Self.left + (log2(Double(length)) - low) / (high - low) * (Self.width - Self.left - 20)
  }

  private func y(_ value: Double) -> Double {
    let (low, high) = values
    return Self.top
      + (high - log10(max(value, 1e-3))) / (high - low) * (Self.height - Self.bottom - Self.top)
  }

  var figure: String {
    HTML.figure(
      width: Self.width, height: Self.height,
      title: "Perplexity of \(title) by length, with standard errors",
      (axes + ticks + series.flatMap(curve)).joined(separator: "\n"),
      caption: title + (series.count > 1 ? "; dashed: before" : ""))
  }

  private var axes: [String] {
    let floor = Self.height - Self.bottom
    let window = x(originalWindow)
    return [
      SVG.line(Self.left, floor, Self.width - 10, floor),
      SVG.line(Self.left, Self.top, Self.left, floor),
      SVG.line(window, Self.top, window, floor, dash: "2 3"),
      SVG.text(window + 3, Self.top + 12, "original window"),
    ]
  }

  private var ticks: [String] {
    let lengths = Set(all.map(\.length)).sorted().map { length in
      SVG.text(x(length) - 12, Self.height - 28, String(length))
    }
    let (low, high) = values
    return lengths
      + RoundTicks.logarithmic(pow(10, low)...pow(10, high)).map { value in
        SVG.text(4, y(value) + 4, value.sixDigits)
      } + [
        SVG.text(Self.width / 2 - 60, Self.height - 8, "length in tokens"),
        SVG.text(4, 14, "perplexity"),
      ]
  }

  private func curve(_ name: String, _ points: [Point]) -> [String] {
    let line = points.map { "\(SVG.number(x($0.length))),\(SVG.number(y($0.value)))" }
    let errors = points.map { point in
      let (from, to) = (y(point.value - point.error), y(point.value + point.error))
      return """
        <path class="\(name)" stroke-width="1.5" \
        d="M\(SVG.number(x(point.length))) \(SVG.number(from))V\(SVG.number(to))"/>
        """
    }
    let joined = line.joined(separator: " ")
    return ["<polyline class=\"\(name)\" stroke-width=\"2\" points=\"\(joined)\"/>"] + errors
  }
}
