/// The parts of Python's `random.Random` that RULER uses.
///
/// The same seed gives the same numbers as in Python.
///
/// Source: Lib/random.py of CPython 3.9 to 3.13; fixtures/golden/ruler.json checks it against them.
package struct PythonRandom: Sendable {
  private var twister: MersenneTwister

  /// `random.seed(seed)`.
  package init(seed: UInt64) {
    let high = UInt32(truncatingIfNeeded: seed >> 32)
    twister = MersenneTwister(key: [UInt32(truncatingIfNeeded: seed)] + (high == 0 ? [] : [high]))
  }

  /// `getrandbits(count)` for 1 to 32 bits.
  package mutating func bits(_ count: Int) -> UInt32 { twister.next() >> UInt32(32 - count) }

  /// `getrandbits(128)`, low words first.
  mutating func wideBits() -> [UInt32] { (0..<4).map { _ in twister.next() } }

  /// `random()`: 53 bits, at least 0 and below 1.
  package mutating func unit() -> Double {
    let high = Double(twister.next() >> 5)
    let low = Double(twister.next() >> 6)
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  /// `randrange(bound)`, which `choice` uses too, for a bound from 1 to 2^32 - 1.
  package mutating func index(below bound: Int) -> Int {
    let width = Int.bitWidth - bound.leadingZeroBitCount
    var drawn = Int(bits(width))
    while drawn >= bound { drawn = Int(bits(width)) }
    return drawn
  }

  /// `randint(range.lowerBound, range.upperBound)`.
  package mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + index(below: range.count)
  }

  /// `choices(alphabet, k=count)`, joined.
  package mutating func letters(of alphabet: [Character], _ count: Int) -> String {
    String((0..<count).map { _ in alphabet[Int(unit() * Double(alphabet.count))] })
  }

  /// `shuffle(items)`.
  package mutating func shuffle<Item>(_ items: inout [Item]) {
    for last in stride(from: items.count - 1, to: 0, by: -1) {
      items.swapAt(last, index(below: last + 1))
    }
  }

  /// `sample(range(bound), count)`.
  /// - Returns: nil if `count` exceeds `bound`; Python raises an error then.
  package mutating func sample(below bound: Int, _ count: Int) -> [Int]? {
    guard count <= bound else { return nil }
    return bound <= Self.poolLimit(count) ? samplePool(bound, count) : sampleSet(bound, count)
  }

  /// The largest bound for which Python draws from a list, because a list takes less memory than a
  /// set of the drawn numbers.
  private static func poolLimit(_ count: Int) -> Int {
    guard count > 5 else { return 21 }
    var power = 1
    while power < count * 3 { power *= 4 }
    return 21 + power
  }

  private mutating func samplePool(_ bound: Int, _ count: Int) -> [Int] {
    var pool = Array(0..<bound)
    return (0..<count).map { drawn in
      let place = index(below: bound - drawn)
      defer { pool[place] = pool[bound - drawn - 1] }
      return pool[place]
    }
  }

  private mutating func sampleSet(_ bound: Int, _ count: Int) -> [Int] {
    var seen: Set<Int> = []
    return (0..<count).map { _ in
      var place = index(below: bound)
      while !seen.insert(place).inserted { place = index(below: bound) }
      return place
    }
  }
}
