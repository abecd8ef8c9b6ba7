/// NumPy's global `numpy.random`, as far as RULER draws from it: equal numbers for an equal seed.
///
/// Source: the stream of `RandomState`, which NumPy has frozen (NEP 19).
struct NumPyRandom: Sendable {
  private var twister: MersenneTwister

  /// `numpy.random.seed(seed)`.
  init(seed: UInt32) { twister = MersenneTwister(seed: seed) }

  /// `numpy.random.randint(range.lowerBound, range.upperBound)`: bits under a mask, drawn again where too large.
  mutating func integer(in range: Range<Int>) -> Int {
    let largest = UInt32(range.count - 1)
    let mask = UInt32.max >> UInt32(largest.leadingZeroBitCount)
    var drawn = twister.next() & mask
    while drawn > largest { drawn = twister.next() & mask }
    return range.lowerBound + Int(drawn)
  }
}
