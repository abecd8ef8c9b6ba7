/// The numbers of `numpy.arange`, rounded as NumPy 2 rounds them when some arguments have single
/// precision.
struct NumPyRange {
  private let start: Double
  private let delta: Double
  let count: Int

  subscript(_ index: Int) -> Double { start + Double(index) * delta }

  private init(start: Double, second: Double, count: Double) {
    self.start = start
    delta = second - start
    self.count = max(0, Int(count.rounded(.up)))
  }

  static func exact(_ start: Double, to end: Double, step: Double) -> NumPyRange {
    NumPyRange(start: start, second: start + step, count: (end - start) / step)
  }

  /// arange(1, right, step), where `right` has single precision.
  static func first(to right: Double, step: Double) -> NumPyRange {
    NumPyRange(start: 1, second: 1 + step, count: Double((Float(right) - 1) / Float(step)))
  }

  /// arange(left, right + step, step), all in single precision.
  static func between(_ left: Double, _ right: Double, step: Double) -> NumPyRange {
    let (left, end) = (Float(left), Float(right) + Float(step))
    return NumPyRange(
      start: Double(left), second: Double(left + Float(step)),
      count: Double((end - left) / Float(step)))
  }

  /// arange(left, end, step), where `end` has double precision.
  static func last(from left: Double, to end: Double, step: Double) -> NumPyRange {
    NumPyRange(start: left, second: Double(Float(left) + Float(step)), count: (end - left) / step)
  }
}
