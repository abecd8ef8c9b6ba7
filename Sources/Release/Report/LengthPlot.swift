import Foundation

/// Curves over length, on a logarithmic axis, with error bars, the original window and a legend.
struct LengthPlot {
  /// A measured value with the ends of its error bar.
  struct Point: Equatable {
    var length: Int
    var value: Double
    var low: Double
    var high: Double
  }

  /// One curve.
  struct Series {
    var name: String
    var points: [Point]
    /// Curves of one colour belong together.
    var colour: Int
    var isDashed: Bool
  }

  let title: String
  let ylabel: String
  let originalWindow: Int
  /// Whether the values are shares in per cent, which are shown from 0 to 100.
  let isShare: Bool
  let series: [Series]

  private static let width = 520.0
  private static let height = 260.0
  private static let frame = (left: 56.0, right: 16.0, top: 28.0, bottom: 46.0)
  private static let fontSize = 13

  private var lengths: [Int] { Set(series.flatMap(\.points).map(\.length)).sorted() }

  /// Where numbers lie.
  private struct Scale {
    let lengths: (low: Double, high: Double)
    let values: (low: Double, high: Double)
    let isShare: Bool

    func x(_ length: Int) -> Double {
      let frame = LengthPlot.frame
      let share = (log2(Double(length)) - lengths.low) / (lengths.high - lengths.low)
      return frame.left + 10 + share * (LengthPlot.width - frame.left - frame.right - 20)
    }

    func y(_ value: Double) -> Double {
      let frame = LengthPlot.frame
      let place = isShare ? value : log10(max(value, 1e-3))
      let share = (values.high - place) / (values.high - values.low)
      return frame.top + share * (LengthPlot.height - frame.top - frame.bottom)
    }
  }

  private var scale: Scale {
    let ends = (lengths + [max(1, originalWindow)]).map { log2(Double($0)) }
    let low = ends.min() ?? 0
    let all = series.flatMap(\.points).flatMap { [$0.low, $0.high] }.map { log10(max($0, 1e-3)) }
    return Scale(
      lengths: (low, max(ends.max() ?? 1, low + 1e-6)),
      values: isShare ? (0, 104) : ((all.min() ?? 0) - 0.02, (all.max() ?? 1) + 0.02),
      isShare: isShare)
  }

  /// The picture, and below it the legend.
  var figure: String {
    let scale = scale
    let body = axes(scale) + ticks(scale) + series.flatMap { curve($0, scale) }
    return """
      <figure class="plot"><svg viewBox="0 0 \(SVG.number(Self.width)) \(SVG.number(Self.height))" \
      role="img" aria-label="\(XML.escaped(title))"><title>\(XML.escaped(title))</title>
      \(body.joined(separator: "\n"))
      </svg><figcaption>\(series.map(Self.legend).joined(separator: "\n"))</figcaption></figure>
      """
  }

  private static func legend(_ series: Series) -> String {
    """
    <span class="key"><svg viewBox="0 0 30 10" aria-hidden="true"><path class="\(style(series))" \
    d="M0 5H30"/></svg> \(XML.escaped(series.name))</span>
    """
  }

  private static func style(_ series: Series) -> String {
    "curve c\(series.colour % colours)\(series.isDashed ? " dashed" : "")"
  }

  /// The number of colours in the style sheet.
  private static let colours = 6

  private func text(_ x: Double, _ y: Double, _ text: String) -> String {
    SVG.text(x, y, text, size: Self.fontSize)
  }

  private func axes(_ scale: Scale) -> [String] {
    let (left, right) = (Self.frame.left, Self.width - Self.frame.right)
    let floor = Self.height - Self.frame.bottom
    let window = scale.x(originalWindow)
    let words = "original window"
    // The words stand on the side where there is room for them.
    let place = window > Self.width / 2 ? window - 96 : max(window - 4, 84)
    return [
      SVG.line(left, floor, right, floor), SVG.line(left, Self.frame.top, left, floor),
      SVG.line(window, Self.frame.top, window, floor, dash: "2 3"),
      // Above the frame, where no curve is.
      text(place, Self.frame.top - 8, words), text(4, 16, ylabel),
      text(Self.width / 2 - 50, Self.height - 6, "length in tokens"),
    ]
  }

  private func ticks(_ scale: Scale) -> [String] {
    let floor = Self.height - Self.frame.bottom
    var last = -Double.infinity
    let lengths = lengths.compactMap { length -> String? in
      let (x, half) = (scale.x(length), 4.0 * Double(String(length).count))
      // Neighbours that would overlap are left out.
      guard x - half > last + 6 else { return nil }
      last = x + half
      return text(x - half, floor + 18, String(length))
    }
    let values =
      isShare
      ? [0, 25, 50, 75, 100]
      : RoundTicks.logarithmic(pow(10, scale.values.low)...pow(10, scale.values.high))
    return lengths + values.map { text(6, scale.y($0) + 4, $0.sixDigits) }
  }

  private func curve(_ series: Series, _ scale: Scale) -> [String] {
    let style = Self.style(series)
    let places = series.points.map {
      "\(SVG.number(scale.x($0.length))),\(SVG.number(scale.y($0.value)))"
    }
    let bars = series.points.map { point in
      """
      <path class="\(Self.barStyle(series))" d="M\(SVG.number(scale.x(point.length))) \
      \(SVG.number(scale.y(point.low)))V\(SVG.number(scale.y(point.high)))"/>
      """
    }
    return [
      "<polyline class=\"\(style)\" points=\"\(places.joined(separator: " "))\"/>"
    ] + bars
  }

  private static func barStyle(_ series: Series) -> String {
    "curve bar c\(series.colour % colours)"
  }
}
