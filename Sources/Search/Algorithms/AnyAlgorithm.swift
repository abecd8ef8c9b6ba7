import Patch

/// One of the algorithms, with its state.
///
/// The names of the cases are those in a checkpoint.
enum AnyAlgorithm: SearchAlgorithm {
  case longRoPE(Evolution<LongRoPEGenetics>)
  case longRoPE2(Evolution<LongRoPE2Genetics>)
  case released(PublishedSearch)
  case cmaES(CMAES)
  case dcis(DivideAndConquer)
  case gradient(GradientDescent)

  init(_ settings: SearchSettings, _ space: SearchSpace) {
    let evolution = settings.evolution
    switch settings.algorithm {
    case .longrope:
      let genetics = LongRoPEGenetics(
        space: space, probability: evolution.probability, given: settings.initial)
      self = .longRoPE(Evolution(genetics, evolution, seed: settings.seed))
    case .longrope2:
      let pairs = settings.criticalPair.map { $0...$0 } ?? space.settings.candidateCriticalPairs
      let genetics = LongRoPE2Genetics(
        space: space, probability: evolution.probability, criticalPairs: pairs)
      self = .longRoPE2(Evolution(genetics, evolution, seed: settings.seed))
    case .dimMono:
      self = .released(PublishedSearch(.dimMono, space, evolution, seed: settings.seed))
    case .dimPieceMono:
      self = .released(PublishedSearch(.dimPieceMono, space, evolution, seed: settings.seed))
    case .cmaES:
      self = .cmaES(
        CMAES(
          space, seeds: settings.initial + Self.seeds(space, settings.criticalPair),
          size: settings.generationSize, maximumGenerations: evolution.iterations,
          seed: settings.seed))
    case .dcis: self = .dcis(DivideAndConquer(space, given: settings.initial))
    case .gradient:
      self = .gradient(
        GradientDescent(
          space, given: settings.initial, critical: settings.criticalPair,
          maximumSteps: evolution.iterations))
    }
  }

  /// The closed forms; NTK-left with several critical pairs and two factors from them on.
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

  // MARK: The search

  mutating func ask() -> [Candidate] {
    let asked: [Candidate]
    switch self {
    case .longRoPE(var search):
      asked = search.ask()
      self = .longRoPE(search)
    case .longRoPE2(var search):
      asked = search.ask()
      self = .longRoPE2(search)
    case .released(var search):
      asked = search.ask()
      self = .released(search)
    case .cmaES(var search):
      asked = search.ask()
      self = .cmaES(search)
    case .dcis(var search):
      asked = search.ask()
      self = .dcis(search)
    case .gradient(var search):
      asked = search.ask()
      self = .gradient(search)
    }
    return asked
  }

  mutating func tell(_ results: [Evaluated]) {
    switch self {
    case .longRoPE(var search):
      search.tell(results)
      self = .longRoPE(search)
    case .longRoPE2(var search):
      search.tell(results)
      self = .longRoPE2(search)
    case .released(var search):
      search.tell(results)
      self = .released(search)
    case .cmaES(var search):
      search.tell(results)
      self = .cmaES(search)
    case .dcis(var search):
      search.tell(results)
      self = .dcis(search)
    case .gradient(var search):
      search.tell(results)
      self = .gradient(search)
    }
  }

  var threshold: Threshold {
    switch self {
    case .longRoPE(let search): search.threshold
    case .longRoPE2(let search): search.threshold
    case .released(let search): search.threshold
    case .cmaES(let search): search.threshold
    case .dcis(let search): search.threshold
    case .gradient(let search): search.threshold
    }
  }

  var wantsDerivatives: Bool {
    if case .gradient(let search) = self { search.wantsDerivatives } else { false }
  }

  var best: Evaluated? {
    switch self {
    case .longRoPE(let search): search.best
    case .longRoPE2(let search): search.best
    case .released(let search): search.best
    case .cmaES(let search): search.best
    case .dcis(let search): search.best
    case .gradient(let search): search.best
    }
  }

  /// Whether a state that was read from a file is consistent.
  func isSound(pairs: Int) -> Bool {
    switch self {
    case .longRoPE(let search): search.isSound(pairs: pairs)
    case .longRoPE2(let search): search.isSound(pairs: pairs)
    case .released(let search): search.isSound(pairs: pairs)
    case .cmaES(let search): search.isSound(pairs: pairs)
    case .dcis(let search): search.isSound(pairs: pairs)
    case .gradient(let search): search.isSound(pairs: pairs)
    }
  }
}
