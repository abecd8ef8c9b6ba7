import Patch
import Verify

/// The generations of a search, from its beginning or from a checkpoint.
///
/// `SearchJob` sets one up and runs it.
public struct SearchLoop: Sendable {
  /// The result of a generation.
  public struct Generation: Codable, Equatable, Sendable {
    /// Its number; 0 is the first population.
    public var number: Int
    /// The best candidate up to now.
    public var best: Candidate
    /// The mean loss of the best candidate, in nats per token.
    public var fitness: Double
    /// The cost up to now.
    public var cost: SearchCost
  }

  /// Everything that changes during a run.
  public struct State: Codable, Sendable {
    var algorithm: AnyAlgorithm
    var random: SearchRandom
    /// The completely evaluated candidates, so that none is evaluated twice.
    var known: [CandidateKey: Evaluated] = [:]
    /// The generations that are complete.
    public internal(set) var generations: [Generation] = []
    /// The cost of those generations.
    public internal(set) var cost = SearchCost()
    /// What is known of the generation after them.
    var pending: [UnitLedger.Entry]?
  }

  /// The settings of the algorithm.
  public let settings: SearchSettings
  /// The space that is searched.
  public let space: SearchSpace
  /// The state after the last complete generation.
  public private(set) var state: State
  /// The best of a generation that was not evaluated whole, and what it cost.
  ///
  /// A checkpoint does not have it, so that a resumed search is the same as one that went on.
  private(set) var part: (best: Evaluated?, cost: SearchCost)?
  private let race: Race

  /// Begins or continues a search.
  /// - Parameter state: the state in a checkpoint of a run with the same settings, or nil to begin.
  public init(
    _ settings: SearchSettings, _ space: SearchSpace, _ units: FitnessUnits,
    _ pool: any EvaluatorPool, state: State? = nil
  ) {
    self.settings = settings
    self.space = space
    race = Race(settings: settings.race, pool: pool, units: units)
    self.state =
      state
      ?? State(
        algorithm: AnyAlgorithm(settings, space), random: SearchRandom(seed: settings.seed &+ 0xACE)
      )
  }

  /// The best candidate up to now; nil before the first generation.
  public var best: Evaluated? {
    let all = [state.algorithm.best, part?.best].compactMap(\.self)
    return all.min { $0.fitness < $1.fitness }
  }

  /// The cost up to now, with that of a generation that was not evaluated whole.
  var cost: SearchCost { part?.cost ?? state.cost }

  /// Evaluates the next generation.
  /// - Parameter most: the most candidates that may be evaluated in the whole search. If a generation
  ///   has more, the rest of it is left out.
  /// - Returns: nil if the search has ended.
  /// - Throws: `EarlyStop.evaluations` if the rest of a generation was left out.
  public mutating func advance(most: Int = .max) throws -> Generation? {
    var algorithm = state.algorithm
    let asked = algorithm.ask()
    guard !asked.isEmpty else { return nil }
    let left = most - state.cost.evaluations
    let fresh = asked.filter { algorithm.wantsDerivatives || state.known[$0.key] == nil }
    if fresh.count > left {
      try evaluate(part: Array(fresh.prefix(left)), algorithm.threshold)
      throw EarlyStop.evaluations
    }
    let (random, cost) = (state.random, state.cost)
    do {
      algorithm.tell(
        algorithm.wantsDerivatives
          ? try asked.map { try differentiate($0) } : try evaluate(asked, algorithm.threshold))
    } catch {
      // Forget that this generation was begun.
      (state.random, state.cost) = (random, cost)
      throw error
    }
    state.algorithm = algorithm
    state.pending = nil
    guard let best = algorithm.best else { return nil }
    let generation = Generation(
      number: state.generations.count, best: best.candidate, fitness: best.fitness, cost: state.cost
    )
    state.generations.append(generation)
    return generation
  }

  /// Takes what is known of a generation that was not evaluated to its end.
  mutating func keep(_ ledger: UnitLedger) {
    let entries = ledger.entries
    guard !entries.isEmpty else { return }
    state.pending = entries
    // Losses on some units are worth less than any on all of them.
    guard part == nil, let best = ledger.best(of: race.units.count),
      best.isComplete || self.best == nil
    else { return }
    var cost = state.cost
    cost.evaluations += Set(entries.map(\.candidate)).count
    cost.units += entries.count
    for entry in entries {
      let tokens = Double(race.units.tokens(in: entry.unit..<entry.unit + 1))
      let isGradient = !entry.result.logFactors.isEmpty
      cost.tokens += Int(isGradient ? SearchCost.gradientCost * tokens : tokens)
    }
    part = (best, cost)
  }

  /// Evaluates the beginning of a generation, without telling the algorithm.
  private mutating func evaluate(part candidates: [Candidate], _ threshold: Threshold) throws {
    var (random, cost) = (state.random, state.cost)
    let results = try race.run(candidates, threshold, &cost, &random).filter(\.isComplete)
    part = (results.min { $0.fitness < $1.fitness }, cost)
  }

  /// Evaluates a candidate on all units, with the derivatives of its fitness.
  private mutating func differentiate(_ candidate: Candidate) throws -> Evaluated {
    let found = try race.pool.derivatives(candidate)
    let count = race.units.count
    state.cost.evaluations += 1
    state.cost.units += count
    state.cost.tokens += Int(SearchCost.gradientCost * Double(race.units.tokens(in: 0..<count)))
    var sums = candidate.factors.map { _ in 0.0 } + (space.searchesMscale ? [0] : [])
    for unit in found {
      for (place, slope) in zip(sums.indices, unit.logFactors + [unit.logMscale]) {
        sums[place] += slope / Double(count)
      }
    }
    return Evaluated(
      candidate: candidate, losses: found.map(\.loss), isComplete: true, derivatives: sums)
  }

  private mutating func evaluate(
    _ asked: [Candidate], _ threshold: Threshold
  ) throws -> [Evaluated] {
    // The published code evaluates near-duplicates too.
    if case .released = state.algorithm {
      return try race.run(asked, threshold, &state.cost, &state.random)
    }
    let fresh = asked.filter { state.known[$0.key] == nil }
    let results = try race.run(fresh, threshold, &state.cost, &state.random)
    var byPlace = results[...]
    return asked.map { candidate in
      if let known = state.known[candidate.key] {
        return Evaluated(candidate: candidate, losses: known.losses, isComplete: true)
      }
      let result = byPlace.removeFirst()
      if result.isComplete { state.known[candidate.key] = result }
      return result
    }
  }
}

extension SearchLoop.State {
  /// Whether every candidate in the state fits the model.
  func isSound(pairs: Int) -> Bool {
    known.values.allSatisfy { $0.candidate.factors.count == pairs && !$0.losses.isEmpty }
      && generations.allSatisfy { $0.best.factors.count == pairs && $0.cost.isSound }
      && cost.isSound
      && algorithm.isSound(pairs: pairs)
      && (pending ?? []).allSatisfy { entry in
        entry.candidate.factors.count == pairs && entry.unit >= 0
          && [0, pairs].contains(entry.result.logFactors.count)
      }
  }
}
