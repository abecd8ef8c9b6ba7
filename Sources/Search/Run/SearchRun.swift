import Patch
import Verify

/// A search from its beginning, or from a checkpoint, to its end.
public struct SearchRun: Sendable {
  /// What a generation came to.
  public struct Generation: Codable, Equatable, Sendable {
    public var number: Int
    public var best: Candidate
    /// Mean loss of the best, in nats a token.
    public var fitness: Double
    public var cost: SearchCost
  }

  /// All that changes during a run.
  public struct State: Codable, Sendable {
    var algorithm: AnyAlgorithm
    var random: SearchRandom
    /// What was evaluated completely, so that nothing is twice.
    var known: [CandidateKey: Evaluated] = [:]
    public internal(set) var generations: [Generation] = []
    public internal(set) var cost = SearchCost()
  }

  public let settings: SearchSettings
  public let space: SearchSpace
  public private(set) var state: State
  private let race: Race

  /// - Parameter state: of a checkpoint of a run with the same settings; nil to begin.
  public init(
    _ settings: SearchSettings, _ space: SearchSpace, _ units: FitnessUnits, _ spread: any Spread, state: State? = nil
  ) {
    self.settings = settings
    self.space = space
    race = Race(settings: settings.race, spread: spread, units: units)
    self.state =
      state
      ?? State(
        algorithm: AnyAlgorithm(settings, space), random: SearchRandom(seed: settings.seed &+ 0xACE))
  }

  public var best: Evaluated? { state.algorithm.best }

  /// Evaluates the next generation.
  /// - Returns: nil where the search has ended.
  public mutating func advance() throws -> Generation? {
    var algorithm = state.algorithm
    let asked = algorithm.ask()
    guard !asked.isEmpty else { return nil }
    let (random, cost) = (state.random, state.cost)
    do {
      algorithm.tell(try evaluate(asked, algorithm.bar))
    } catch {
      // As if this generation had not been begun.
      (state.random, state.cost) = (random, cost)
      throw error
    }
    state.algorithm = algorithm
    guard let best = algorithm.best else { return nil }
    let generation = Generation(
      number: state.generations.count, best: best.candidate, fitness: best.fitness, cost: state.cost)
    state.generations.append(generation)
    return generation
  }

  private mutating func evaluate(_ asked: [Candidate], _ bar: Bar) throws -> [Evaluated] {
    // The published code evaluates whatever its operators give.
    if case .released = state.algorithm { return try race.run(asked, bar, &state.cost, &state.random) }
    let fresh = asked.filter { state.known[$0.key] == nil }
    let results = try race.run(fresh, bar, &state.cost, &state.random)
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

extension SearchRun.State {
  /// Whether every candidate in it fits the model.
  func isSound(pairs: Int) -> Bool {
    known.values.allSatisfy { $0.candidate.factors.count == pairs && !$0.losses.isEmpty }
      && generations.allSatisfy { $0.best.factors.count == pairs } && algorithm.isSound(pairs: pairs)
  }
}
