import Glibc
import Numerics
import Patch
import Verify

/// The evolution of LongRoPE's published code (microsoft/LongRoPE at c9e56aa).
///
/// It differs from the paper: one YaRN seed and 63 mutants of it, other limits, crossovers that
/// stop at the first acceptable change, and mutations that continue from a failed one. Numbers come
/// from NumPy's generator and are rounded as NumPy 2 rounds them. So a run with the same fitness
/// equals the published one, number for number.
struct PublishedSearch: SearchAlgorithm {
  enum Kind: String, Codable, CaseIterable {
    /// Non-decreasing factors.
    case dimMono = "dim_mono"
    /// Non-decreasing factors with two more genes.
    ///
    /// Factors up to the first gene are 1, and those beyond the second are s.
    case dimPieceMono = "dim_piece_mono"

    /// The number of genes before the factors.
    var head: Int { self == .dimMono ? 0 : 2 }
  }

  private struct Individual: Codable {
    var genome: [Double]
    var evaluated: Evaluated
  }

  private let kind: Kind
  private let settings: EvolutionSettings
  private let scale: Double
  private let step: Double
  private let seed: [Double]
  private var random: NumPyRandom
  private var history: [[Double]] = []
  private var population: [Individual] = []
  private var asked: [[Double]] = []
  private(set) var generation = 0

  init(_ kind: Kind, _ space: SearchSpace, _ settings: EvolutionSettings, seed number: UInt64) {
    self.kind = kind
    self.settings = settings
    scale = space.scale
    step = space.step
    seed = Array(repeating: 0, count: kind.head) + Self.yarn(space.settings)
    random = NumPyRandom(seed: UInt32(truncatingIfNeeded: number))
  }

  /// YaRN's factors s (1 - m) + m, in single precision.
  ///
  /// They mix factors, not frequencies.
  private static func yarn(_ settings: ClosedForm.Settings) -> [Double] {
    var (low, high) = ClosedForm.rampBounds(settings)
    if low == high { high += 0.001 }
    return (0..<settings.pairs).map { pair in
      let ramp = (Float(pair) - Float(low)) / Float(high - low)
      let kept = 1 - min(max(ramp, 0), 1)
      return Double(Float(settings.scale) * (1 - kept) + 1 * kept)
    }
  }

  // MARK: Dialogue

  private var parents: [Individual] { Array(population.prefix(settings.parents)) }
  var best: Evaluated? { population.first?.evaluated }

  var threshold: Threshold {
    if generation > 0, population.count >= settings.parents {
      return .candidate(population[settings.parents - 1].evaluated)
    }
    return .best(settings.parents)
  }

  mutating func ask() -> [Candidate] {
    if asked.isEmpty, generation == 0 {
      asked = [seed]
      history.append(seed)
      for _ in 1..<settings.population {
        let child = mutant(of: seed)
        // The mutation has added it already; the published code adds it twice.
        history.append(child)
        asked.append(child)
      }
    } else if asked.isEmpty, generation <= settings.iterations {
      let parents = parents.map(\.genome)
      for _ in 0..<settings.mutants {
        asked.append(mutant(of: parents[random.integer(in: 0..<parents.count)]))
      }
      for _ in 0..<settings.crossovers {
        let pair = random.twoDifferent(below: parents.count)
        let (better, worse) = (parents[min(pair.0, pair.1)], parents[max(pair.0, pair.1)])
        asked.append(crossover(better, worse) ?? mutant(of: better))
      }
    }
    return asked.map { Candidate(Array($0[kind.head...])) }
  }

  mutating func tell(_ results: [Evaluated]) {
    precondition(results.count == asked.count)
    let children = zip(asked, results).filter(\.1.isComplete).map {
      Individual(genome: $0, evaluated: $1)
    }
    let pool = parents + children
    asked = []
    generation += 1
    // Equal candidates keep their order.
    population = pool.indices.sorted {
      (pool[$0].evaluated.fitness, $0) < (pool[$1].evaluated.fitness, $1)
    }.map { pool[$0] }
  }

  func isSound(pairs: Int) -> Bool {
    population.allSatisfy {
      $0.genome.count == pairs + kind.head && $0.evaluated.candidate.factors.count == pairs
    }
      && history.allSatisfy { $0.count == pairs + kind.head } && seed.count == pairs + kind.head
      && asked.isEmpty
      && (generation == 0 || population.count >= 2)
  }

  // MARK: Operators

  /// Adds a genome to the history, as if it had been made before.
  mutating func remember(_ genome: [Double]) { history.append(genome) }

  /// Whether the history has a genome that numpy.allclose would accept as equal.
  private func isKnown(_ genome: [Double]) -> Bool {
    history.contains { old in
      // Stop at the first difference: most genomes differ in an early gene.
      var gene = 0
      while gene < genome.count, abs(old[gene] - genome[gene]) <= 1e-8 + 1e-5 * abs(genome[gene]) {
        gene += 1
      }
      return gene == genome.count
    }
  }

  private func falls(_ genome: [Double]) -> Bool {
    let factors = genome[kind.head...]
    return zip(factors, factors.dropFirst()).contains { $1 - $0 < 0 }
  }

  /// How often an invalid mutant is mutated further.
  ///
  /// The published code repeats this for ever if no mutation can succeed. Here it ends with a
  /// near-duplicate.
  private static let tries = 100_000

  /// Whether a gene changes, by the published probability or the user's.
  private mutating func isHit() -> Bool { random.uniform() < settings.probability }

  mutating func mutant(of parent: [Double]) -> [Double] {
    var genome = parent
    var tries = 0
    while tries < Self.tries, isKnown(genome) || falls(genome) {
      switch kind {
      case .dimMono: mutateAll(&genome)
      case .dimPieceMono: mutatePieces(&genome)
      }
      tries += 1
    }
    history.append(genome)
    return genome
  }

  private mutating func mutateAll(_ genome: inout [Double]) {
    let last = genome.count - 1
    for gene in genome.indices where isHit() {
      let grid: NumPyRange
      if gene == 0 {
        grid = .first(to: genome[1], step: step)
      } else if gene == last {
        let all = Int((((1 + scale + step) - 1) / step).rounded(.up))
        let top = 1 + Double(all - 1) * ((1 + step) - 1)
        grid = .last(from: genome[gene - 1], to: top + step, step: step)
      } else {
        grid = .between(genome[gene - 1], genome[gene + 1], step: step)
      }
      if grid.count > 0 { genome[gene] = Double(Float(grid[random.integer(in: 0..<grid.count)])) }
    }
  }

  private mutating func mutatePieces(_ genome: inout [Double]) {
    var (alpha, beta) = (Int(genome[0]), Int(genome[1]))
    let pairs = genome.count - 2
    repeat {
      if random.uniform() < 0.5 {
        alpha = Int(random.normal(mean: Double(alpha), deviation: 2))
      } else {
        beta = Int(random.normal(mean: Double(beta), deviation: 2))
      }
    } while !(0 <= alpha && alpha < beta && beta < pairs)
    (genome[0], genome[1]) = (Double(alpha), Double(beta))
    // The last two factors never change.
    for gene in 2..<max(2, genome.count - 2) where isHit() {
      if gene <= alpha + 2 {
        genome[gene] = 1
      } else if gene > beta + 2 {
        genome[gene] = scale
      } else {
        let grid = NumPyRange.exact(genome[gene - 1], to: genome[gene + 1] + step, step: step)
        if grid.count > 0 { genome[gene] = grid[random.integer(in: 0..<grid.count)] }
      }
    }
  }

  /// Keeps the first change that gives a new genome, so usually few genes come from the second
  /// parent.
  mutating func crossover(_ first: [Double], _ second: [Double]) -> [Double]? {
    if zip(first, second).allSatisfy({ abs($0 - $1) <= 1e-8 + 1e-5 * abs($1) }) { return nil }
    var genome = first
    for _ in 0..<settings.crossoverTries {
      for gene in genome.indices where isHit() {
        if random.uniform() < 0.5 {
          if kind == .dimPieceMono, gene < 2 {
            (genome[0], genome[1]) = (second[0], second[1])
          } else {
            genome[gene] = second[gene]
          }
        }
        if isKnown(genome) || falls(genome) || (kind == .dimPieceMono && genome[0] > genome[1]) {
          continue
        }
        history.append(genome)
        return genome
      }
    }
    return nil
  }
}
