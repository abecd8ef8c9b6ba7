import Patch

/// LongRoPE's operators (section 3.2).
///
/// The population starts from position interpolation, NTK and YaRN. Lists do not decrease and lie
/// on a grid. n-hat may be searched as well.
struct LongRoPEGenetics: Genetics {
  let space: SearchSpace
  let probability: Double
  /// The user's seeds, which come before the others.
  let given: [Candidate]

  /// How many mutations are tried before a near-duplicate is accepted.
  private static let tries = 100

  func initial(_ count: Int, _ random: inout SearchRandom, isNew: (Candidate) -> Bool)
    -> [Candidate]
  {
    var made: [Candidate] = []
    var keys: Set<CandidateKey> = []
    func isFresh(_ candidate: Candidate) -> Bool {
      isNew(candidate) && !keys.contains(candidate.key)
    }
    func add(_ candidate: Candidate) {
      made.append(candidate)
      keys.insert(candidate.key)
    }
    for seed in given where isFresh(seed) { add(seed) }
    for form in [ClosedForm.pi, .ntk, .yarn] {
      let seed = Candidate(
        space.fitted(form.factors(space.settings)),
        mscale: space.searchesMscale ? space.mscale : nil)
      if isFresh(seed) { add(seed.withPairMscales(space)) }
    }
    let seeds = made
    while made.count < count {
      add(mutant(of: seeds[made.count % seeds.count], &random, isNew: isFresh))
    }
    return Array(made.prefix(count))
  }

  func mutant(of parent: Candidate, _ random: inout SearchRandom, isNew: (Candidate) -> Bool)
    -> Candidate
  {
    var child = parent
    for _ in 0..<Self.tries {
      child = parent
      for pair in child.factors.indices where random.chance(probability) {
        // Between its neighbours. The left one may have changed already.
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
    _ first: Candidate, _ second: Candidate, tries: Int, _ random: inout SearchRandom,
    isNew: (Candidate) -> Bool
  ) -> Candidate? {
    for _ in 0..<tries {
      var child = first
      for pair in child.factors.indices where random.chance(0.5) {
        child.factors[pair] = second.factors[pair]
      }
      if random.chance(0.5) { child.startTokens = second.startTokens }
      child.crossMscales(second, &random)
      if child.isMonotone, isNew(child) { return child }
    }
    return nil
  }
}

extension SearchRandom {
  /// A random factor between two others, a multiple of the space's step above the lower one.
  mutating func onGrid(_ space: SearchSpace, _ low: Double, _ high: Double) -> Double {
    let steps = Int(((high - low) / space.step + 1e-6).rounded(.down))
    return min(low + Double(index(below: steps + 1)) * space.step, space.upper)
  }
}
