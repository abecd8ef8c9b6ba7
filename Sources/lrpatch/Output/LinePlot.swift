import Foundation

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
