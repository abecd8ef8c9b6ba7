/// The area of a plot within its picture, in the units of SVG.
struct PlotFrame {
  let width: Double
  let height: Double
  let margins: (left: Double, right: Double, top: Double, bottom: Double)
  /// What stays free at both ends of the horizontal axis.
  var inset = 0.0
  /// How far below the beginning of the picture the plot begins.
  var origin = 0.0

  var left: Double { margins.left }
  var right: Double { width - margins.right }
  var ceiling: Double { origin + margins.top }
  var floor: Double { origin + height - margins.bottom }

  /// The horizontal place of a share of an axis.
  func x(_ share: Double) -> Double { left + inset + share * (right - left - 2 * inset) }

  /// The vertical place of a share of an axis.
  func y(_ share: Double) -> Double { floor - share * (floor - ceiling) }

  /// The lines of both axes.
  var lines: [String] {
    [SVG.line(left, floor, right, floor), SVG.line(left, ceiling, left, floor)]
  }
}
