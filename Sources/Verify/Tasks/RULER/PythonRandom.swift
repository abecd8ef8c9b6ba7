/// Python's `random.Random`, as far as RULER draws from it: equal numbers for an equal seed.
///
/// Source: CPython 3.9 to 3.13, Lib/random.py; checked against them by fixtures/golden/ruler.json.
struct PythonRandom: Sendable {
  private var twister: MersenneTwister

  /// `random.seed(seed)`.
  init(seed: UInt64) {
    let high = UInt32(truncatingIfNeeded: seed >> 32)
    twister = MersenneTwister(key: [UInt32(truncatingIfNeeded: seed)] + (high == 0 ? [] : [high]))
  }

  /// `getrandbits(count)` for 1 to 32 bits.
  mutating func bits(_ count: Int) -> UInt32 { twister.next() >> UInt32(32 - count) }

  /// `getrandbits(128)`, low words first.
  mutating func wideBits() -> [UInt32] { (0..<4).map { _ in twister.next() } }

  /// `random()`: 53 bits, from 0 to below 1.
  mutating func unit() -> Double {
    let high = Double(twister.next() >> 5)
    let low = Double(twister.next() >> 6)
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  /// An index below `bound`, from 1 to 2^32 - 1: `randrange`, and what `choice` draws.
  mutating func index(below bound: Int) -> Int {
    let width = Int.bitWidth - bound.leadingZeroBitCount
    var drawn = Int(bits(width))
    while drawn >= bound { drawn = Int(bits(width)) }
    return drawn
  }

  /// `randint(range.lowerBound, range.upperBound)`.
  mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + index(below: range.count)
  }

  /// `choices(alphabet, k: count)`, joined.
  mutating func letters(of alphabet: [Character], _ count: Int) -> String {
    String((0..<count).map { _ in alphabet[Int(unit() * Double(alphabet.count))] })
  }

  /// `shuffle(items)`.
  mutating func shuffle<Item>(_ items: inout [Item]) {
    for last in stride(from: items.count - 1, to: 0, by: -1) {
      items.swapAt(last, index(below: last + 1))
    }
  }

  /// `sample(range(bound), count)`.
  /// - Throws: `VerifyError` where `count` exceeds `bound`.
  mutating func sample(below bound: Int, _ count: Int) throws -> [Int] {
    guard count <= bound else { throw VerifyError("ruler", "a sample of \(count) out of \(bound)") }
    return bound <= Self.poolLimit(count) ? samplePool(bound, count) : sampleSet(bound, count)
  }

  /// Python draws from a list where that takes less memory than the set of what was drawn.
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
