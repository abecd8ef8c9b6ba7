import Patch

/// Which search.
public enum AlgorithmName: String, CaseIterable, Codable, Sendable {
  case longrope, longrope2
  /// The published code's, as it behaves.
  case dimMono = "dim_mono"
  case dimPieceMono = "dim_piece_mono"
  case cmaES = "cma-es"
}

/// Everything that decides what a search does, beside the model and its texts.
public struct SearchSettings: Codable, Equatable, Sendable {
  public var algorithm: AlgorithmName
  public var evolution = EvolutionSettings()
  /// Candidates a generation of CMA-ES; by the dimension where nil.
  public var generationSize: Int?
  /// LongRoPE2's critical pair where it is not searched.
  public var criticalPair: Int?
  public var race = RaceSettings()
  public var seed: UInt64 = 0
  /// Candidates to begin with, before the algorithm's own.
  public var initial: [Candidate] = []

  public init(_ algorithm: AlgorithmName) { self.algorithm = algorithm }
}

/// One of the algorithms, with its state.
enum AnyAlgorithm: SearchAlgorithm {
  case longRoPE(Evolution<LongRoPEGenetics>)
  case longRoPE2(Evolution<LongRoPE2Genetics>)
  case released(Released)
  case cmaES(CMAES)

  init(_ settings: SearchSettings, _ space: SearchSpace) {
    let evolution = settings.evolution
    switch settings.algorithm {
    case .longrope:
      let genetics = LongRoPEGenetics(space: space, probability: evolution.probability, given: settings.initial)
      self = .longRoPE(Evolution(genetics, evolution, seed: settings.seed))
    case .longrope2:
      let genetics = LongRoPE2Genetics(
        space: space, probability: evolution.probability,
        criticalPairs: settings.criticalPair.map { $0...$0 } ?? space.settings.candidateCriticalPairs)
      self = .longRoPE2(Evolution(genetics, evolution, seed: settings.seed))
    case .dimMono: self = .released(Released(.dimMono, space, evolution, seed: settings.seed))
    case .dimPieceMono: self = .released(Released(.dimPieceMono, space, evolution, seed: settings.seed))
    case .cmaES:
      self = .cmaES(
        CMAES(
          space, seeds: settings.initial + Self.seeds(space, settings.criticalPair), size: settings.generationSize,
          maximumGenerations: evolution.iterations, seed: settings.seed))
    }
  }

  /// The closed forms, LongRoPE2's with several critical pairs and factors above them.
  private static func seeds(_ space: SearchSpace, _ critical: Int?) -> [Candidate] {
    var forms: [[Double]] = [ClosedForm.ntk, .ntkTheta, .yarn].map { $0.factors(space.settings) }
    for pair in critical.map({ [$0] }) ?? Array(space.settings.candidateCriticalPairs) {
      for stretch in [1.0, 1.25] {
        forms.append(
          ClosedForm.ntkLeft(pairs: space.pairs, criticalPair: pair, lambda: space.scale * stretch))
      }
    }
    var seeds: [Candidate] = []
    for form in forms {
      let seed = Candidate(space.fitted(form), mscale: space.searchesMscale ? space.mscale : nil)
      if !seeds.contains(where: { $0.key == seed.key }) { seeds.append(seed) }
    }
    return seeds
  }

  mutating func ask() -> [Candidate] { change { $0.ask() } }
  mutating func tell(_ results: [Evaluated]) { change { $0.tell(results) } }
  var bar: Bar { algorithm.bar }
  var best: Evaluated? { algorithm.best }

  private var algorithm: any SearchAlgorithm {
    switch self {
    case .longRoPE(let algorithm): algorithm
    case .longRoPE2(let algorithm): algorithm
    case .released(let algorithm): algorithm
    case .cmaES(let algorithm): algorithm
    }
  }

  private mutating func change<T>(_ work: (inout any SearchAlgorithm) -> T) -> T {
    var algorithm = algorithm
    let result = work(&algorithm)
    switch algorithm {
    case let changed as Evolution<LongRoPEGenetics>: self = .longRoPE(changed)
    case let changed as Evolution<LongRoPE2Genetics>: self = .longRoPE2(changed)
    case let changed as Released: self = .released(changed)
    case let changed as CMAES: self = .cmaES(changed)
    default: preconditionFailure("no such algorithm")
    }
    return result
  }
}

extension AnyAlgorithm {
  /// Whether a state that was read from a file can go on.
  func isSound(pairs: Int) -> Bool {
    switch self {
    case .longRoPE(let evolution): evolution.isSound(pairs: pairs)
    case .longRoPE2(let evolution): evolution.isSound(pairs: pairs)
    case .released(let search): search.isSound(pairs: pairs)
    case .cmaES(let search): search.isSound(pairs: pairs)
    }
  }
}
