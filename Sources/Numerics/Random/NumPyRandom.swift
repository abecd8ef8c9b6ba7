import Glibc

/// The parts of NumPy's global `numpy.random` that RULER and LongRoPE's search use.
///
/// The same seed gives the same numbers as in NumPy.
///
/// Source: the stream of `RandomState`, which NumPy has frozen (NEP 19).
package struct NumPyRandom: Codable, Equatable, Sendable {
  private var twister: MersenneTwister
  /// The second number of the last normal pair, if it has not been returned yet.
  private var spare: Double?

  /// `numpy.random.seed(seed)`.
  package init(seed: UInt32) { twister = MersenneTwister(seed: seed) }

  /// `numpy.random.randint(range.lowerBound, range.upperBound)`: masked bits, drawn again while
  /// they are too large.
  package mutating func integer(in range: Range<Int>) -> Int {
    let largest = UInt32(range.count - 1)
    guard largest > 0 else { return range.lowerBound }
    let mask = UInt32.max >> UInt32(largest.leadingZeroBitCount)
    var drawn = twister.next() & mask
    while drawn > largest { drawn = twister.next() & mask }
    return range.lowerBound + Int(drawn)
  }

  /// `numpy.random.rand()`: 53 bits.
  package mutating func uniform() -> Double {
    let (high, low) = (twister.next() >> 5, twister.next() >> 6)
    return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
  }

  /// `numpy.random.normal(mean, deviation)`: Marsaglia's polar method.
  package mutating func normal(mean: Double, deviation: Double) -> Double {
    if let number = spare {
      spare = nil
      return mean + deviation * number
    }
    while true {
      let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
      let square = x * x + y * y
      guard square > 0, square < 1 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      spare = factor * x
      return mean + deviation * factor * y
    }
  }

  /// `numpy.random.choice(count, 2, replace=False)`.
  package mutating func twoDifferent(below count: Int) -> (Int, Int) {
    var order = Array(0..<count)
    for place in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(place, integer(in: 0..<place + 1))
    }
    return (order[0], order[1])
  }
}
