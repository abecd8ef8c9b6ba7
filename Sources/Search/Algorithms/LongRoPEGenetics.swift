import Patch

/// LongRoPE's candidates (section 3.2): position interpolation, NTK and YaRN, and what mutation and crossover make of
/// them, non-decreasing, on a grid, with n-hat beside them where it is searched.
struct LongRoPEGenetics: Genetics {
  let space: SearchSpace
  let probability: Double
  /// Seeds that the user gives, before the others.
  let given: [Candidate]

  /// How often a mutation is tried before a near-duplicate is taken.
  private static let tries = 100

  func initial(_ count: Int, _ random: inout SearchRandom, isNew: (Candidate) -> Bool) -> [Candidate] {
    var made: [Candidate] = []
    var keys: Set<CandidateKey> = []
    func isFresh(_ candidate: Candidate) -> Bool { isNew(candidate) && !keys.contains(candidate.key) }
    func add(_ candidate: Candidate) {
      made.append(candidate)
      keys.insert(candidate.key)
    }
    for seed in given where isFresh(seed) { add(seed) }
    for form in [ClosedForm.pi, .ntk, .yarn] {
      let seed = Candidate(
        space.fitted(form.factors(space.settings)), mscale: space.searchesMscale ? space.mscale : nil)
      if isFresh(seed) { add(seed.withPairMscales(space)) }
    }
    let seeds = made
    while made.count < count {
      add(mutant(of: seeds[made.count % seeds.count], &random, isNew: isFresh))
    }
    return Array(made.prefix(count))
  }

  func mutant(of parent: Candidate, _ random: inout SearchRandom, isNew: (Candidate) -> Bool) -> Candidate {
    var child = parent
    for _ in 0..<Self.tries {
      child = parent
      for pair in child.factors.indices where random.chance(probability) {
        // Between its neighbours, of which the left one may have changed already.
        let low = pair == 0 ? space.lower : child.factors[pair - 1]
        let high = pair + 1 < child.factors.count ? child.factors[pair + 1] : space.upper
        child.factors[pair] = random.onGrid(space, low, max(low, high))
      }
      if space.startTokens.count > 1, random.chance(probability) {
        child.startTokens = space.startTokens[random.index(below: space.startTokens.count)]
      }
      child.mutateMscales(space, probability, &random)
      if isNew(child) { break }
    }
    return child
  }

  func crossover(
    _ first: Candidate, _ second: Candidate, tries: Int, _ random: inout SearchRandom, isNew: (Candidate) -> Bool
  ) -> Candidate? {
    for _ in 0..<tries {
      var child = first
      for pair in child.factors.indices where random.chance(0.5) { child.factors[pair] = second.factors[pair] }
      if random.chance(0.5) { child.startTokens = second.startTokens }
      child.crossMscales(second, &random)
      if child.isMonotone, isNew(child) { return child }
    }
    return nil
  }
}

extension SearchRandom {
  /// A multiple of the space's step between two factors.
  mutating func onGrid(_ space: SearchSpace, _ low: Double, _ high: Double) -> Double {
    let steps = Int(((high - low) / space.step + 1e-6).rounded(.down))
    return min(low + Double(index(below: steps + 1)) * space.step, space.upper)
  }
}

extension Candidate {
  func withPairMscales(_ space: SearchSpace) -> Candidate {
    var copy = self
    if space.searchesPairMscales { copy.pairMscales = Array(repeating: space.mscale, count: space.pairs) }
    return copy
  }

  mutating func mutateMscales(_ space: SearchSpace, _ probability: Double, _ random: inout SearchRandom) {
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
