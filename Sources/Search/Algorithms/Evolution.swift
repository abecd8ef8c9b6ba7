/// Algorithm 1 of LongRoPE: the next population is the best of the last one, their mutants and
/// their crossovers.
struct Evolution<Operators: Genetics>: SearchAlgorithm {
  let settings: EvolutionSettings
  private let operators: Operators
  private var random: SearchRandom
  private var history: Set<CandidateKey> = []
  /// The parents, the best first.
  private(set) var parents: [Evaluated] = []
  /// The number of populations whose results are known.
  private(set) var generation = 0
  private var asked: [Candidate] = []

  init(_ operators: Operators, _ settings: EvolutionSettings, seed: UInt64) {
    self.operators = operators
    self.settings = settings
    random = SearchRandom(seed: seed)
  }

  var best: Evaluated? { parents.first }

  var threshold: Threshold {
    if generation > 0, let last = parents.last, parents.count == settings.parents {
      return .candidate(last)
    }
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
    // The better parent is the one that is changed.
    let (a, b) = (parents[min(first, second)].candidate, parents[max(first, second)].candidate)
    let history = history
    let child = operators.crossover(a, b, tries: settings.crossoverTries, &random) {
      !history.contains($0.key)
    }
    return child ?? operators.mutant(of: a, &random) { !history.contains($0.key) }
  }

  mutating func tell(_ results: [Evaluated]) {
    precondition(results.count == asked.count)
    asked = []
    let pool = parents + results.filter(\.isComplete)
    // A stable order: among equals, those known longer come first.
    let order = pool.indices.sorted { (pool[$0].fitness, $0) < (pool[$1].fitness, $1) }
    parents = order.prefix(settings.parents).map { pool[$0] }
    generation += 1
  }
}
