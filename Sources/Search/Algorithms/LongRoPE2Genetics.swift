import Glibc
import Patch

/// LongRoPE2's operators (Algorithms 1 and 2).
///
/// From the critical pair on, factors do not decrease and lie between s and 2 s. Below it they
/// follow NTK up to the factor of the critical pair. The critical pair itself is searched between
/// d10 and d_tcd.
struct LongRoPE2Genetics: Genetics {
  let space: SearchSpace
  let probability: Double
  /// The critical pairs to try; only one if it is given.
  let criticalPairs: ClosedRange<Int>

  private static let tries = 100

  /// The limits of a factor from the critical pair on: s to the space's upper limit, by default 2
  /// s.
  private var limits: ClosedRange<Double> { space.scale...max(space.scale, space.upper) }

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
    // Each critical pair in turn with one random factor from it on, then their mutants.
    let pairs = Array(criticalPairs)
    var seeds: [Candidate] = []
    for pair in pairs {
      let lambda = random.onGrid(space, limits.lowerBound, limits.upperBound)
      let seed = candidate(
        upper: Array(repeating: lambda, count: space.pairs - pair), criticalPair: pair, mscale: nil)
      seeds.append(seed)
      if made.count < count, isFresh(seed) { add(seed) }
    }
    while made.count < count {
      add(mutant(of: seeds[made.count % seeds.count], &random, isNew: isFresh))
    }
    return made
  }

  /// The candidate with these factors from a critical pair on.
  private func candidate(upper: [Double], criticalPair pair: Int, mscale: Double?) -> Candidate {
    let lambda = upper[0]
    let lower = (0..<pair).map { pow(lambda, Double($0) / Double(pair)) }
    return Candidate(
      lower + upper, criticalPair: pair,
      mscale: mscale ?? (space.searchesMscale ? space.mscale : nil)
    ).withPairMscales(space)
  }

  func mutant(of parent: Candidate, _ random: inout SearchRandom, isNew: (Candidate) -> Bool)
    -> Candidate
  {
    var child = parent
    for _ in 0..<Self.tries {
      let pair = parent.criticalPair ?? criticalPairs.upperBound
      var upper = Array(parent.factors[pair...])
      if random.chance(0.5) { refine(&upper, &random) } else { push(&upper, &random) }
      child = candidate(upper: upper, criticalPair: pair, mscale: parent.mscale)
      child.pairMscales = parent.pairMscales
      child.mutateMscales(space, probability, &random)
      if isNew(child) { break }
    }
    return child
  }

  /// Moves some factors between their neighbours.
  private func refine(_ upper: inout [Double], _ random: inout SearchRandom) {
    for place in upper.indices where random.chance(probability) {
      let low = place == 0 ? limits.lowerBound : upper[place - 1]
      let high = place + 1 < upper.count ? upper[place + 1] : limits.upperBound
      upper[place] = random.onGrid(space, low, max(low, high))
    }
  }

  /// Moves one factor anywhere in the range, and the others as far as necessary.
  ///
  /// Equal neighbours could hardly move otherwise.
  private func push(_ upper: inout [Double], _ random: inout SearchRandom) {
    let place = random.index(below: upper.count)
    let value = random.onGrid(space, limits.lowerBound, limits.upperBound)
    for other in upper.indices {
      upper[other] = other < place ? min(upper[other], value) : max(upper[other], value)
    }
    upper[place] = value
  }

  func crossover(
    _ first: Candidate, _ second: Candidate, tries: Int, _ random: inout SearchRandom,
    isNew: (Candidate) -> Bool
  ) -> Candidate? {
    let pair = first.criticalPair ?? criticalPairs.upperBound
    for _ in 0..<tries {
      var upper = Array(first.factors[pair...])
      for place in upper.indices where random.chance(0.5) {
        upper[place] = min(max(second.factors[pair + place], limits.lowerBound), limits.upperBound)
      }
      guard zip(upper, upper.dropFirst()).allSatisfy({ $0 <= $1 }) else { continue }
      var child = candidate(upper: upper, criticalPair: pair, mscale: first.mscale)
      child.pairMscales = first.pairMscales
      child.crossMscales(second, &random)
      if isNew(child) { return child }
    }
    return nil
  }
}
