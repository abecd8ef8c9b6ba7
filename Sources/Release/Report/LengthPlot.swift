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

  private static let frame = PlotFrame(
    width: 520, height: 260, margins: (left: 56, right: 16, top: 28, bottom: 46), inset: 10)
  private static let fontSize = 13

  private var lengths: [Int] { Set(series.flatMap(\.points).map(\.length)).sorted() }

  /// Where numbers lie.
  private struct Scale {
    let horizontal: PlotAxis
    let vertical: PlotAxis

    func x(_ length: Int) -> Double { LengthPlot.frame.x(horizontal.place(Double(length))) }
    func y(_ value: Double) -> Double { LengthPlot.frame.y(vertical.place(value)) }
  }

  private var scale: Scale {
    // The end of an error bar that is not positive would stretch a logarithmic axis.
    let ends = series.flatMap(\.points).flatMap { [max($0.low, $0.value / 10), $0.high] }
    return Scale(
      horizontal: PlotAxis(lengths: lengths + [originalWindow]),
      vertical: isShare ? .percent : PlotAxis(ends, isLogarithmic: true))
  }

  /// The picture, and below it the legend.
  var figure: String {
    let scale = scale
    let body = axes(scale) + ticks(scale) + series.flatMap { curve($0, scale) }
    return """
      <figure class="plot"><svg \
      viewBox="0 0 \(SVG.number(Self.frame.width)) \(SVG.number(Self.frame.height))" \
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
    let frame = Self.frame
    let window = scale.x(originalWindow)
    let words = "original window"
    // The words stand on the side where there is room for them.
    let place = window > frame.width / 2 ? window - 96 : max(window - 4, 84)
    return frame.lines + [
      SVG.line(window, frame.ceiling, window, frame.floor, dash: "2 3"),
      // Above the frame, where no curve is.
      text(place, frame.ceiling - 8, words), text(4, 16, ylabel),
      text(frame.width / 2 - 50, frame.height - 6, "length in tokens"),
    ]
  }

  private func ticks(_ scale: Scale) -> [String] {
    var last = -Double.infinity
    let lengths = lengths.compactMap { length -> String? in
      let (x, half) = (scale.x(length), 4.0 * Double(String(length).count))
      // Neighbours that would overlap are left out.
      guard x - half > last + 6 else { return nil }
      last = x + half
      return text(x - half, Self.frame.floor + 18, String(length))
    }
    return lengths + scale.vertical.ticks.map { text(6, scale.y($0) + 4, $0.sixDigits) }
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
