/// The attention scales of candidates, where they are searched.
extension Candidate {
  func withPairMscales(_ space: SearchSpace) -> Candidate {
    var copy = self
    if space.searchesPairMscales {
      copy.pairMscales = Array(repeating: space.mscale, count: space.pairs)
    }
    return copy
  }

  mutating func mutateMscales(
    _ space: SearchSpace, _ probability: Double, _ random: inout SearchRandom
  ) {
    func moved(_ value: Double) -> Double {
      let limits = space.mscaleLimits
      return min(max(value + 0.03 * random.normal(), limits.lowerBound), limits.upperBound)
    }
    if let value = mscale, random.chance(probability) { mscale = moved(value) }
    if let values = pairMscales {
      pairMscales = values.map { random.chance(probability) ? moved($0) : $0 }
    }
  }

  mutating func crossMscales(_ other: Candidate, _ random: inout SearchRandom) {
    if mscale != nil, random.chance(0.5) { mscale = other.mscale }
    if let mine = pairMscales, let others = other.pairMscales {
      pairMscales = zip(mine, others).map { random.chance(0.5) ? $1 : $0 }
    }
  }
}
