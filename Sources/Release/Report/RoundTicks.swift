import Foundation

/// Round numbers along an axis.
enum RoundTicks {
  /// Multiples of 1, 2 or 5 times a power of ten within a range, about as many as asked for.
  static func linear(_ range: ClosedRange<Double>, count: Int = 5) -> [Double] {
    let span = range.upperBound - range.lowerBound
    guard span > 0 else { return [range.lowerBound] }
    let rough = span / Double(count)
    let unit = pow(10, floor(log10(rough)))
    let step = [1.0, 2, 5, 10].map { $0 * unit }.first { $0 >= rough * 0.999 } ?? rough
    let first = Int((range.lowerBound / step).rounded(.up))
    let last = Int((range.upperBound / step).rounded(.down))
    return first > last ? [] : (first...last).map { Double($0) * step }
  }

  /// The same on a logarithmic axis: 1, 2 and 5 times powers of ten, or linear ticks if the range is
  /// too small for two of them.
  static func logarithmic(_ range: ClosedRange<Double>) -> [Double] {
    let (low, high) = (max(range.lowerBound, 1e-12), max(range.upperBound, 1e-12))
    let decades = Int(floor(log10(low)))...Int(ceil(log10(high)))
    let all: [Double] = decades.flatMap { decade -> [Double] in
      let unit = pow(10, Double(decade))
      return [unit, 2 * unit, 5 * unit]
    }
    let visible = low * 0.9999...high * 1.0001
    let ticks = all.filter { visible.contains($0) }
    return ticks.count > 1 ? ticks : linear(low...high, count: 4)
  }
}
