import Foundation

/// An axis of a plot: where values lie on it, and its ticks.
struct PlotAxis {
  /// The values that get a tick.
  let ticks: [Double]
  /// The ends, as logarithms to the base of ten if the axis is logarithmic.
  private let ends: (low: Double, high: Double)
  private let isLogarithmic: Bool

  /// Shares in per cent.
  static let percent = PlotAxis(
    ticks: [0, 25, 50, 75, 100], ends: (-3, 103), isLogarithmic: false)

  private init(ticks: [Double], ends: (low: Double, high: Double), isLogarithmic: Bool) {
    self.ticks = ticks
    self.ends = ends
    self.isLogarithmic = isLogarithmic
  }

  /// An axis for values, with room at both ends.
  /// - Parameter hasZero: whether a linear axis contains 0; no room is left below it.
  init(_ values: [Double], isLogarithmic: Bool, hasZero: Bool = false) {
    let scaled = values.map { Self.scaled($0, isLogarithmic) }
    let (least, most) = (scaled.min() ?? 0, scaled.max() ?? 0)
    let beginsAtZero = hasZero && !isLogarithmic && least >= 0
    let low = beginsAtZero ? 0 : least
    let high = hasZero && !isLogarithmic ? max(0, most) : most
    let room = max(0.06 * (high - low), isLogarithmic ? 0.02 : 0.01)
    ends = (beginsAtZero ? 0 : low - room, high + room)
    self.isLogarithmic = isLogarithmic
    ticks =
      isLogarithmic
      ? RoundTicks.logarithmic(pow(10, ends.low)...pow(10, ends.high))
      : RoundTicks.linear(ends.low...ends.high)
  }

  /// Lengths in tokens, from the first to the last.
  init(lengths: [Int]) {
    let ends = [lengths.min() ?? 1, lengths.max() ?? 1].map { log10(Double(max(1, $0))) }
    self.init(
      ticks: lengths.map(Double.init), ends: (ends[0], ends[1]), isLogarithmic: true)
  }

  /// Indices from 0 on; about eight of them get a tick.
  init(indices count: Int) {
    self.init(
      ticks: stride(from: 0, to: count, by: max(1, count / 8)).map(Double.init),
      ends: (0, Double(max(1, count - 1))), isLogarithmic: false)
  }

  /// Where a value lies, from 0 at the low end to 1 at the high one.
  ///
  /// Values beyond an end lie at it.
  func place(_ value: Double) -> Double {
    guard ends.high > ends.low else { return 0.5 }
    let share = (Self.scaled(value, isLogarithmic) - ends.low) / (ends.high - ends.low)
    return min(max(share, 0), 1)
  }

  /// A value on the scale of an axis; what is beyond every plot, or is NaN, becomes its nearest end.
  private static func scaled(_ value: Double, _ isLogarithmic: Bool) -> Double {
    let (least, most) = (isLogarithmic ? 1e-12 : -1e100, 1e100)
    let bounded = value > least ? min(value, most) : least
    return isLogarithmic ? log10(bounded) : bounded
  }
}
