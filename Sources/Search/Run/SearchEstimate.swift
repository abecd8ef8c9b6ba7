import Inference
import Models
import Numerics
import Verify

/// How long a search takes, estimated before it begins.
struct SearchEstimate {
  /// The time of one candidate on all units, with all threads.
  let candidate: Duration
  /// The candidates of the whole search, if the race stops none; those whose derivatives are wanted
  /// count as several.
  let candidates: Double

  /// Searches shorter than this are not announced.
  private static let least = Duration.seconds(60)
  /// Searches with fewer multiplications than this take seconds on any machine.
  private static let fewMultiplications = 1e12
  /// The closed forms with which `gradient` and CMA-ES begin, about.
  private static let forms = 12.0

  /// - Returns: nil for a search that takes seconds.
  init?(
    _ options: SearchOptions, _ checkpoint: Checkpoint, _ units: FitnessUnits, _ model: Transformer,
    _ geometry: RopeGeometry
  ) throws {
    let lengths = units.units.map(\.sequence.tokens.count)
    let expected = Self.candidates(checkpoint.settings, checkpoint.space)
    candidates = min(expected, options.evaluations.map(Double.init) ?? .infinity)
    let work = lengths.reduce(0) { $0 + model.multiplications(tokens: $1) } * candidates
    guard work > Self.fewMultiplications, let longest = lengths.max() else { return nil }
    let forward = ForwardPass(
      model, threads: options.threads,
      precision: Precision(rawValue: checkpoint.precision) ?? .exact)
    let plain = Evaluator(checkpoint.space, units, forward, geometry: geometry).policy(
      Candidate(checkpoint.space.base.map { _ in 1 }))
    candidate = try forward.estimatedTime(
      lengths: lengths, plain.schedule(prompt: longest, count: longest))
  }

  private static func candidates(_ settings: SearchSettings, _ space: SearchSpace) -> Double {
    let evolution = settings.evolution
    let generations = Double(evolution.iterations)
    switch settings.algorithm {
    case .longrope, .longrope2, .dimMono, .dimPieceMono:
      return Double(evolution.population)
        + generations * Double(evolution.mutants + evolution.crossovers)
    case .cmaES:
      return forms + generations * Double(CMAES.size(settings.generationSize, space))
    case .dcis: return DivideAndConquer.evaluations(pairs: space.pairs)
    case .gradient: return forms + generations * SearchCost.gradientCost
    }
  }

  /// A note for the user; nil for a short search.
  var remark: String? {
    let whole = candidate * candidates
    guard whole >= Self.least else { return nil }
    return
      "a candidate takes about \(candidate.words), and the search up to \(whole.words); --time-budget ends it earlier"
  }
}
