/// How many of what a generation is made of. The defaults are both papers' (LongRoPE, section 4.1; LongRoPE2, appendix B).
public struct EvolutionSettings: Codable, Equatable, Sendable {
  public var population = 64
  /// The best of a population, which stay and have offspring.
  public var parents = 32
  public var mutants = 16
  public var crossovers = 16
  public var iterations = 40
  /// Of a change in one pair.
  public var probability = 0.3
  public var crossoverTries = 20

  public init() {}

  /// Half of everything, as LongRoPE does from 512k tokens on.
  public var halved: EvolutionSettings {
    var copy = self
    (copy.population, copy.parents) = (population / 2, parents / 2)
    (copy.mutants, copy.crossovers) = (mutants / 2, crossovers / 2)
    return copy
  }
}

/// Where an evolution's candidates come from.
protocol Genetics: Codable, Sendable {
  /// The first population.
  func initial(_ count: Int, _ random: inout SearchRandom, isNew: (Candidate) -> Bool) -> [Candidate]
  /// A changed copy that `isNew` takes.
  func mutant(of parent: Candidate, _ random: inout SearchRandom, isNew: (Candidate) -> Bool) -> Candidate
  /// A copy of `first` with parts of `second`, or nil where none was new.
  func crossover(
    _ first: Candidate, _ second: Candidate, tries: Int, _ random: inout SearchRandom, isNew: (Candidate) -> Bool
  ) -> Candidate?
}

/// Algorithm 1 of LongRoPE: the best of a population and their mutants and crossovers are the next one.
struct Evolution<Operators: Genetics>: SearchAlgorithm {
  let settings: EvolutionSettings
  private let operators: Operators
  private var random: SearchRandom
  private var history: Set<CandidateKey> = []
  /// Sorted, the best first.
  private(set) var parents: [Evaluated] = []
  /// Populations that were told.
  private(set) var generation = 0
  private var asked: [Candidate] = []

  init(_ operators: Operators, _ settings: EvolutionSettings, seed: UInt64) {
    self.operators = operators
    self.settings = settings
    random = SearchRandom(seed: seed)
  }

  var best: Evaluated? { parents.first }

  var bar: Bar {
    if generation > 0, let last = parents.last, parents.count == settings.parents { return .candidate(last) }
    return .best(settings.parents)
  }

  mutating func ask() -> [Candidate] {
    guard asked.isEmpty, generation <= settings.iterations else { return asked }
    if generation == 0 {
      let history = history
      asked = operators.initial(settings.population, &random) { !history.contains($0.key) }
      for candidate in asked { self.history.insert(candidate.key) }
    } else {
      for _ in 0..<settings.mutants { breed { $0.mutant() } }
      for _ in 0..<settings.crossovers { breed { $0.crossover() } }
    }
    return asked
  }

  func isSound(pairs: Int) -> Bool {
    parents.allSatisfy { $0.candidate.factors.count == pairs } && asked.isEmpty && generation >= 0
      && (generation == 0 || !parents.isEmpty)
  }

  private mutating func breed(_ make: (inout Self) -> Candidate) {
    let child = make(&self)
    history.insert(child.key)
    asked.append(child)
  }

  private mutating func mutant() -> Candidate {
    let history = history
    return operators.mutant(of: parents[random.index(below: parents.count)].candidate, &random) {
      !history.contains($0.key)
    }
  }

  private mutating func crossover() -> Candidate {
    guard parents.count > 1 else { return mutant() }
    let first = random.index(below: parents.count)
    var second = random.index(below: parents.count - 1)
    if second >= first { second += 1 }
    // The better one is the one that is changed.
    let (a, b) = (parents[min(first, second)].candidate, parents[max(first, second)].candidate)
    let history = history
    let child = operators.crossover(a, b, tries: settings.crossoverTries, &random) { !history.contains($0.key) }
    return child ?? operators.mutant(of: a, &random) { !history.contains($0.key) }
  }

  mutating func tell(_ results: [Evaluated]) {
    precondition(results.count == asked.count)
    asked = []
    let pool = parents + results.filter(\.isComplete)
    // A stable order: those known longer come first among equals.
    let order = pool.indices.sorted { (pool[$0].fitness, $0) < (pool[$1].fitness, $1) }
    parents = order.prefix(settings.parents).map { pool[$0] }
    generation += 1
  }
}
