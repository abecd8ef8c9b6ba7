import Foundation
import Patch

/// Factors over the rotary pairs with the critical ones marked, and each pair's period against the windows: as text and as
/// SVG.
struct FactorPlot {
  let factorSet: FactorSet
  let settings: ClosedForm.Settings
  let title: String

  private var factors: [Double] { factorSet.long.rows.first ?? [] }

  /// Tokens in one turn of each pair, before and after.
  private var periods: (before: [Double], after: [Double]) {
    func all(_ factors: [Double]?) -> [Double] {
      LongRoPE.inverseFrequencies(
        theta: settings.theta, rotaryDimensions: settings.rotaryDimensions, factors: factors
      ).map(LongRoPE.period)
    }
    return (all(nil), all(factors))
  }

  private var marks: [(pair: Int, name: String)] {
    var marks = [(settings.tenPeriodsPair, "d10"), (settings.theoreticalCriticalPair, "d_tcd")]
    if let pair = settings.criticalPair, pair != settings.theoreticalCriticalPair { marks.append((pair, "d_rcd")) }
    return marks
  }

  // MARK: Text

  var text: String {
    let mscale = factorSet.mscale.values(originalWindow: settings.originalWindow, window: settings.window).long
    let candidates = settings.candidateCriticalPairs
    let head = [
      "window     \(settings.originalWindow) to \(settings.window), s = \(InspectReport.number(settings.scale))",
      "mscale     \(InspectReport.number(mscale))",
      "critical   pair \(settings.theoreticalCriticalPair) of \(settings.pairs) by theory (dimension \(2 * settings.theoreticalCriticalPair)); ten turns from pair \(settings.tenPeriodsPair) on; \(candidates.lowerBound) to \(candidates.upperBound) to try",
    ]
    return (head + [""] + table).joined(separator: "\n")
  }

  private var table: [String] {
    let greatest = factors.max() ?? 1
    let width = 32
    let (before, after) = periods
    let rows = factors.indices.map { pair in
      [
        String(pair), InspectReport.number(factors[pair]), InspectReport.number(before[pair]),
        InspectReport.number(after[pair]),
        Terminal.output.bar(
          factors[pair] / greatest, width: width, pair < settings.theoreticalCriticalPair ? .green : .blue)
          + marks.filter { $0.pair == pair }.map { " < \($0.name)" }.joined(),
      ]
    }
    return InspectReport.columns([["pair", "factor", "period", "stretched", ""]] + rows)
  }

  // MARK: SVG

  var svg: String {
    let (before, after) = periods
    let windows = [Double(settings.originalWindow), Double(settings.window)]
    let upper = LinePlot(
      title: title, ylabel: "rescale factor", isLogarithmic: false,
      series: [("factor", factors)], levels: [], marks: marks)
    let lower = LinePlot(
      title: "tokens in one turn", ylabel: "tokens", isLogarithmic: true,
      series: [("original", before), ("rescaled", after)],
      levels: [("original window", windows[0]), ("extended window", windows[1])], marks: marks)
    return SVG.document(
      width: LinePlot.width, height: 2 * LinePlot.height, [upper.body(at: 0), lower.body(at: LinePlot.height)])
  }
}

/// A plot of lists over their places.
struct LinePlot {
  static let width = 720.0
  static let height = 300.0
  private static let frame = (left: 70.0, right: 20.0, top: 40.0, bottom: 40.0)
  private static let colours = ["#1f6feb", "#d1480f", "#2da44e", "#8250df"]

  let title: String
  let ylabel: String
  var xlabel = "rotary pair"
  let isLogarithmic: Bool
  let series: [(name: String, values: [Double])]
  /// Horizontal lines.
  let levels: [(name: String, value: Double)]
  /// Vertical lines.
  let marks: [(pair: Int, name: String)]

  private func scaled(_ value: Double) -> Double { isLogarithmic ? log10(max(value, 1e-12)) : value }

  private var range: (low: Double, high: Double) {
    let all = (series.flatMap(\.values) + levels.map(\.value)).map(scaled)
    let (low, high) = (isLogarithmic ? all.min() ?? 0 : min(0, all.min() ?? 0), all.max() ?? 1)
    return (low, high > low ? high + (high - low) * 0.05 : low + 1)
  }

  func body(at top: Double) -> String {
    let frame = Self.frame
    let count = series.map(\.values.count).max() ?? 0
    let (low, high) = range
    func x(_ place: Double) -> Double {
      frame.left + place / Double(max(1, count - 1)) * (Self.width - frame.left - frame.right)
    }
    func y(_ value: Double) -> Double {
      top + frame.top + (high - scaled(value)) / (high - low) * (Self.height - frame.top - frame.bottom)
    }
    let (floor, ceiling) = (top + Self.height - frame.bottom, top + frame.top)
    var parts = [
      SVG.text(frame.left, top + 22, title, size: 15),
      SVG.line(frame.left, floor, Self.width - frame.right, floor), SVG.line(frame.left, ceiling, frame.left, floor),
      SVG.text(Self.width / 2, floor + 32, xlabel),
      SVG.text(10, ceiling - 8, ylabel),
    ]
    for step in 0...4 {
      let value = low + (high - low) * Double(step) / 4
      let number = isLogarithmic ? pow(10, value) : value
      parts.append(SVG.text(8, y(number) + 4, InspectReport.number(Double(String(format: "%.3g", number)) ?? number)))
    }
    for place in stride(from: 0, to: count, by: max(1, count / 8)) {
      parts.append(SVG.text(x(Double(place)) - 4, floor + 16, String(place)))
    }
    for (name, value) in levels {
      parts.append(SVG.line(frame.left, y(value), Self.width - frame.right, y(value), dash: "6 4"))
      parts.append(SVG.text(Self.width - frame.right - 120, y(value) - 4, name))
    }
    for (pair, name) in marks where pair < count {
      parts.append(SVG.line(x(Double(pair)), ceiling, x(Double(pair)), floor, dash: "2 3"))
      parts.append(SVG.text(x(Double(pair)) + 3, ceiling + 12, name))
    }
    for (index, item) in series.enumerated() {
      let points = item.values.enumerated().map { "\(SVG.number(x(Double($0)))),\(SVG.number(y($1)))" }
      let colour = Self.colours[index % Self.colours.count]
      parts.append(
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\"\(points.joined(separator: " "))\"/>")
      parts.append(SVG.text(frame.left + 10 + 110 * Double(index), ceiling + 28, item.name, colour: colour))
    }
    return parts.joined(separator: "\n")
  }
}

/// Pieces of SVG.
enum SVG {
  static func number(_ value: Double) -> String { String(format: "%.2f", value) }

  static func text(_ x: Double, _ y: Double, _ text: String, size: Int = 12, colour: String = "currentColor") -> String
  {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" fill=\"\(colour)\">\(XML.escaped(text))</text>"
  }

  static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, dash: String? = nil) -> String {
    let dashes = dash.map { " stroke-dasharray=\"\($0)\"" } ?? ""
    return
      "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"currentColor\"\(dashes)/>"
  }

  static func document(width: Double, height: Double, _ parts: [String]) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" font-family="sans-serif" color="#24292f">
    <rect width="100%" height="100%" fill="#ffffff"/>
    \(parts.joined(separator: "\n"))
    </svg>

    """
  }
}
