import Formats
import Verify

/// The curves of a ladder over length, as SVG: a panel for each quantity, a colour for each model, a
/// dash for each type of the cache.
///
/// Rungs that agree share one curve.
struct LadderPlot {
  static let width = 460.0
  static let height = 240.0
  private static let frame = PlotFrame(
    width: width, height: height, margins: (left: 64, right: 16, top: 30, bottom: 40), inset: 12)
  private static let colours = [
    "#1f6feb", "#d1480f", "#2c9348", "#8250df", "#a87400", "#0b8a99", "#cf3a8b", "#7a7f87",
  ]
  private static let dashes = [nil, "7 4", "2 3", "9 3 2 3"]

  /// One quantity over length.
  private struct Panel {
    var title: String
    var isLogarithmic = false
    /// Whether the values are shares in per cent, which are shown from 0 to 100.
    var isShare = false
    /// The value of a rung at a length; nil if it is not shown.
    var value: (LadderPlace) -> Double?
  }

  private struct Curve {
    var rung: LadderTables.Rung
    var points: [(length: Int, value: Double)]
  }

  let tables: LadderTables

  private var panels: [Panel] {
    [
      Panel(title: "perplexity, times that of the first rung") { $0.retention?.ratio },
      Panel(title: "divergence from the first rung, nats per token", isLogarithmic: true) {
        $0.retention.flatMap { $0.divergence > 0 ? $0.divergence : nil }
      },
      Panel(title: "passkeys found, per cent", isShare: true) {
        $0.passkeys.map { 100 * $0.share }
      },
    ]
      + tables.tasks.map { task in
        Panel(title: "\(task), per cent", isShare: true) { place in
          place.scores.first { $0.task == task }.map { 100 * $0.share }
        }
      }
  }

  private var models: [String] { tables.rungs.map(\.model).uniqued }
  private var caches: [String] { tables.rungs.map(\.cache).uniqued }

  /// Each panel with its title.
  var figures: [(title: String, body: String)] {
    panels.map { panel in
      (panel.title, body(panel, curves(of: panel)).joined(separator: "\n"))
    }
  }

  private func curves(of panel: Panel) -> [Curve] {
    tables.rungs.reduce(into: []) { curves, rung in
      let points = rung.places.compactMap { place in
        panel.value(place).map { (length: place.length, value: $0) }
      }
      guard !points.isEmpty, !curves.contains(where: { Self.isSame($0.points, points) }) else {
        return
      }
      curves.append(Curve(rung: rung, points: points))
    }
  }

  private static func isSame(
    _ a: [(length: Int, value: Double)], _ b: [(length: Int, value: Double)]
  ) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0 == $1 }
  }

  // MARK: A panel

  private func body(_ panel: Panel, _ curves: [Curve]) -> [String] {
    let all = curves.flatMap(\.points).map(\.value)
    guard !all.isEmpty else { return [SVG.text(Self.frame.left, 18, panel.title, size: 14)] }
    let scale = Scale(
      horizontal: PlotAxis(lengths: tables.lengths),
      vertical: panel.isShare ? .percent : PlotAxis(all, isLogarithmic: panel.isLogarithmic))
    return axes(panel, scale) + curves.flatMap { lines($0, scale) }
  }

  /// Where numbers lie in a panel.
  private struct Scale {
    let horizontal: PlotAxis
    let vertical: PlotAxis

    func x(_ length: Int) -> Double { LadderPlot.frame.x(horizontal.place(Double(length))) }
    func y(_ value: Double) -> Double { LadderPlot.frame.y(vertical.place(value)) }
  }

  private func axes(_ panel: Panel, _ scale: Scale) -> [String] {
    let frame = Self.frame
    let ticks = scale.vertical.ticks.flatMap { value in
      [
        SVG.line(frame.left - 4, scale.y(value), frame.left, scale.y(value)),
        SVG.text(8, scale.y(value) + 4, value.sixDigits),
      ]
    }
    let lengths = tables.lengths.map { length in
      SVG.text(scale.x(length) - 14, frame.floor + 16, String(length))
    }
    return [SVG.text(8, 18, panel.title, size: 14)] + frame.lines
      + [SVG.text(Self.width / 2 - 40, frame.floor + 34, "length in tokens")] + ticks + lengths
  }

  private func lines(_ curve: Curve, _ scale: Scale) -> [String] {
    let points = curve.points.map { (x: scale.x($0.length), y: scale.y($0.value)) }
    let colour = colour(of: curve.rung.model)
    let name = "\(curve.rung.model), \(curve.rung.cache)"
    return [Self.line(points, colour, dash(of: curve.rung.cache), title: name)]
      + points.map { point in
        """
        <circle cx="\(SVG.number(point.x))" cy="\(SVG.number(point.y))" r="2.5" fill="\(colour)"/>
        """
      }
  }

  private static func line(
    _ points: [(x: Double, y: Double)], _ colour: String, _ dash: String?, title: String
  ) -> String {
    let dashes = dash.map { " stroke-dasharray=\"\($0)\"" } ?? ""
    let places = points.map { "\(SVG.number($0.x)),\(SVG.number($0.y))" }.joined(separator: " ")
    return """
      <polyline fill="none" stroke="\(colour)" stroke-width="1.8"\(dashes) points="\(places)">\
      <title>\(XML.escaped(title))</title></polyline>
      """
  }

  private func colour(of model: String) -> String {
    Self.colours[(models.firstIndex(of: model) ?? 0) % Self.colours.count]
  }

  private func dash(of cache: String) -> String? {
    Self.dashes[(caches.firstIndex(of: cache) ?? 0) % Self.dashes.count]
  }

  // MARK: The legend

  /// The colours of the models and the dashes of the caches.
  ///
  /// If there are more of them than can be told apart, they repeat.
  var legend: (height: Double, body: String) {
    let entries =
      models.map { (name: $0, colour: colour(of: $0), dash: String?.none) }
      + (caches.count > 1
        ? caches.map { (name: "cache \($0)", colour: "currentColor", dash: dash(of: $0)) } : [])
    let column = (Self.width - 16) / 2
    let parts = entries.enumerated().flatMap { index, entry in
      let (x, y) = (8 + column * Double(index % 2), 16 + 20 * Double(index / 2))
      return [
        Self.line([(x, y - 4), (x + 34, y - 4)], entry.colour, entry.dash, title: entry.name),
        SVG.text(x + 42, y, Self.shortened(entry.name)),
      ]
    }
    return (Double((entries.count + 1) / 2) * 20 + 8, parts.joined(separator: "\n"))
  }

  /// The end of a name that would not fit, which says how it was quantised.
  private static func shortened(_ name: String) -> String {
    name.count > 26 ? "…\(name.suffix(25))" : name
  }

  // MARK: A whole picture

  /// How every such file begins.
  static let beginning = "<!-- lrpatch ladder -->\n"

  /// All panels in two columns, with the legend below.
  var document: String {
    let figures = figures
    let rows = Double((figures.count + 1) / 2)
    let placed = figures.enumerated().map { index, figure in
      Self.moved(
        figure.body, x: Self.width * Double(index % 2), y: Self.height * Double(index / 2))
    }
    return Self.beginning
      + SVG.document(
        width: 2 * Self.width, height: rows * Self.height + legend.height + 8,
        placed + [Self.moved(legend.body, x: 0, y: rows * Self.height + 4)])
  }

  private static func moved(_ body: String, x: Double, y: Double) -> String {
    "<g transform=\"translate(\(SVG.number(x)) \(SVG.number(y)))\">\n\(body)\n</g>"
  }
}
