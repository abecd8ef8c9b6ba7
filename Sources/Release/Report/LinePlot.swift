import Foundation

/// A plot of lists of numbers over their indices, as SVG.
package struct LinePlot {
  package static let width = 560.0
  package static let height = 300.0
  private static let frame = (left: 70.0, right: 20.0, top: 58.0, bottom: 40.0)
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
    let top: Double
    let count: Int
    let low: Double
    let high: Double
    let isLogarithmic: Bool

    func x(_ place: Double) -> Double {
      let frame = LinePlot.frame
      let share = place / Double(max(1, count - 1))
      return frame.left + share * (LinePlot.width - frame.left - frame.right)
    }

    func y(_ value: Double) -> Double {
      let frame = LinePlot.frame
      let share = (high - LinePlot.scaled(value, isLogarithmic)) / (high - low)
      return top + frame.top + share * (LinePlot.height - frame.top - frame.bottom)
    }

    var floor: Double { top + LinePlot.height - LinePlot.frame.bottom }
    var ceiling: Double { top + LinePlot.frame.top }
  }

  private static func scaled(_ value: Double, _ isLogarithmic: Bool) -> Double {
    isLogarithmic ? log10(max(value, 1e-12)) : value
  }

  private func scale(at top: Double) -> Scale {
    let values = series.flatMap(\.values) + levels.map(\.value)
    let all = values.map { Self.scaled($0, isLogarithmic) }
    let (least, most) = (all.min() ?? 0, all.max() ?? 1)
    let low = isLogarithmic ? least : min(0, least)
    return Scale(
      top: top, count: series.map(\.values.count).max() ?? 0, low: low,
      high: most > low ? most + (most - low) * 0.05 : low + 1, isLogarithmic: isLogarithmic)
  }

  /// The elements of the plot, `top` below the beginning of the picture.
  package func body(at top: Double) -> String {
    let scale = scale(at: top)
    let parts =
      axes(scale) + ticks(scale) + lines(scale)
      + series.enumerated().flatMap { curve($0.element.name, $0.element.values, $0.offset, scale) }
    return parts.joined(separator: "\n")
  }

  private func axes(_ scale: Scale) -> [String] {
    let (left, right) = (Self.frame.left, Self.width - Self.frame.right)
    return [
      SVG.text(left, scale.top + 22, title, size: 15),
      SVG.line(left, scale.floor, right, scale.floor),
      SVG.line(left, scale.ceiling, left, scale.floor),
      SVG.text(Self.width / 2, scale.floor + 32, xlabel),
      SVG.text(10, scale.ceiling - 8, ylabel),
    ]
  }

  private func ticks(_ scale: Scale) -> [String] {
    let numbers =
      isLogarithmic
      ? RoundTicks.logarithmic(pow(10, scale.low)...pow(10, scale.high))
      : RoundTicks.linear(scale.low...scale.high)
    let values = numbers.flatMap { number in
      [
        SVG.line(Self.frame.left - 4, scale.y(number), Self.frame.left, scale.y(number)),
        SVG.text(8, scale.y(number) + 4, number.sixDigits),
      ]
    }
    let places = stride(from: 0, to: scale.count, by: max(1, scale.count / 8)).map { place in
      SVG.text(scale.x(Double(place)) - 4, scale.floor + 16, String(place))
    }
    return values + places
  }

  private func lines(_ scale: Scale) -> [String] {
    let right = Self.width - Self.frame.right
    let horizontal = levels.flatMap { name, value in
      [
        SVG.line(Self.frame.left, scale.y(value), right, scale.y(value), dash: "6 4"),
        SVG.text(right - 120, scale.y(value) - 4, name),
      ]
    }
    let vertical = marks.filter { $0.pair < scale.count }.flatMap { pair, name in
      let x = scale.x(Double(pair))
      return [
        SVG.line(x, scale.ceiling, x, scale.floor, dash: "2 3"),
        SVG.text(x + 3, scale.ceiling - 2, name),
      ]
    }
    return horizontal + vertical
  }

  private func curve(_ name: String, _ values: [Double], _ index: Int, _ scale: Scale) -> [String] {
    let points = values.enumerated().flatMap { place, value in
      (isStepped ? [-0.5, 0.5] : [0]).map { shift in
        let x = scale.x(min(max(Double(place) + shift, 0), Double(scale.count - 1)))
        return "\(SVG.number(x)),\(SVG.number(scale.y(value)))"
      }
    }
    let colour = Self.colours[index % Self.colours.count]
    let line = """
      <polyline fill="none" stroke="\(colour)" stroke-width="2" \
      points="\(points.joined(separator: " "))"/>
      """
    // A single curve is what the title says.
    guard series.count > 1 else { return [line] }
    let place = Self.frame.left + 110 * Double(index)
    return [
      line,
      """
      <path stroke="\(colour)" stroke-width="3" d="M\(SVG.number(place)) \
      \(SVG.number(scale.top + 36))h18"/>
      """, SVG.text(place + 24, scale.top + 40, name),
    ]
  }
}
