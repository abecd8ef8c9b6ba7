/// A plot of lists of numbers over their indices, as SVG.
package struct LinePlot {
  package static let width = 560.0
  package static let height = 300.0
  private static let margins = (left: 70.0, right: 20.0, top: 58.0, bottom: 40.0)
  private static let colours = ["#1f6feb", "#d1480f", "#2da44e", "#8250df"]

  private let title: String
  private let ylabel: String
  private let xlabel: String
  private let isLogarithmic: Bool
  private let series: [(name: String, values: [Double])]
  private let levels: [(name: String, value: Double)]
  private let marks: [(pair: Int, name: String)]
  private let isStepped: Bool

  /// - Parameters:
  ///   - isStepped: whether each value gets a horizontal step, since there is nothing between them.
  ///   - levels: values that get a horizontal line.
  ///   - marks: indices that get a vertical line.
  package init(
    title: String, ylabel: String, xlabel: String = "rotary pair", isLogarithmic: Bool,
    series: [(name: String, values: [Double])], levels: [(name: String, value: Double)] = [],
    marks: [(pair: Int, name: String)] = [], isStepped: Bool = false
  ) {
    self.isStepped = isStepped
    self.title = title
    self.ylabel = ylabel
    self.xlabel = xlabel
    self.isLogarithmic = isLogarithmic
    self.series = series
    self.levels = levels
    self.marks = marks
  }

  /// Where numbers lie in the plot.
  private struct Scale {
    let frame: PlotFrame
    let horizontal: PlotAxis
    let vertical: PlotAxis

    func x(_ place: Double) -> Double { frame.x(horizontal.place(place)) }
    func y(_ value: Double) -> Double { frame.y(vertical.place(value)) }
  }

  private var count: Int { series.map(\.values.count).max() ?? 0 }

  /// The elements of the plot, `top` below the beginning of the picture.
  package func body(at top: Double) -> String {
    let scale = Scale(
      frame: PlotFrame(
        width: Self.width, height: Self.height, margins: Self.margins, origin: top),
      horizontal: PlotAxis(indices: count),
      vertical: PlotAxis(
        series.flatMap(\.values) + levels.map(\.value), isLogarithmic: isLogarithmic,
        hasZero: true))
    let parts =
      axes(scale) + lines(scale)
      + series.enumerated().flatMap { curve($0.element.name, $0.element.values, $0.offset, scale) }
    return parts.joined(separator: "\n")
  }

  private func axes(_ scale: Scale) -> [String] {
    let frame = scale.frame
    let values = scale.vertical.ticks.flatMap { value in
      [
        SVG.line(frame.left - 4, scale.y(value), frame.left, scale.y(value)),
        SVG.text(8, scale.y(value) + 4, value.sixDigits),
      ]
    }
    let places = scale.horizontal.ticks.map { place in
      SVG.text(scale.x(place) - 4, frame.floor + 16, place.sixDigits)
    }
    return [
      SVG.text(frame.left, frame.origin + 22, title, size: 15),
      SVG.text(Self.width / 2, frame.floor + 32, xlabel),
      SVG.text(10, frame.ceiling - 8, ylabel),
    ] + frame.lines + values + places
  }

  private func lines(_ scale: Scale) -> [String] {
    let frame = scale.frame
    let horizontal = levels.flatMap { name, value in
      [
        SVG.line(frame.left, scale.y(value), frame.right, scale.y(value), dash: "6 4"),
        SVG.text(frame.right - 120, scale.y(value) - 4, name),
      ]
    }
    let vertical = marks.filter { $0.pair < count }.flatMap { pair, name in
      let x = scale.x(Double(pair))
      return [
        SVG.line(x, frame.ceiling, x, frame.floor, dash: "2 3"),
        SVG.text(x + 3, frame.ceiling - 2, name),
      ]
    }
    return horizontal + vertical
  }

  private func curve(_ name: String, _ values: [Double], _ index: Int, _ scale: Scale) -> [String] {
    let points = values.enumerated().flatMap { place, value in
      (isStepped ? [-0.5, 0.5] : [0]).map { shift in
        "\(SVG.number(scale.x(Double(place) + shift))),\(SVG.number(scale.y(value)))"
      }
    }
    let colour = Self.colours[index % Self.colours.count]
    let line = """
      <polyline fill="none" stroke="\(colour)" stroke-width="2" \
      points="\(points.joined(separator: " "))"/>
      """
    // A single curve is what the title says.
    guard series.count > 1 else { return [line] }
    let place = scale.frame.left + 110 * Double(index)
    return [
      line,
      """
      <path stroke="\(colour)" stroke-width="3" d="M\(SVG.number(place)) \
      \(SVG.number(scale.frame.origin + 36))h18"/>
      """, SVG.text(place + 24, scale.frame.origin + 40, name),
    ]
  }
}
