import Glibc
import Numerics
import Patch
import Verify

/// CMA-ES (Hansen, arXiv 1604.00772) over the logarithms of the factors, in the same space of
/// non-decreasing lists as the other algorithms.
///
/// Neighbouring pairs have similar factors, so the first covariance is smooth: its samples bend a
/// list of factors rather than roughen it. The search starts from the best of the closed forms.
/// Samples outside the space are moved to the nearest list in it, and the distribution learns from
/// the moved samples.
struct CMAES: SearchAlgorithm {
  private let space: SearchSpace
  private let seeds: [Candidate]
  private let size: Int
  private let maximumGenerations: Int
  private var random: SearchRandom
  private var history: Set<CandidateKey> = []

  private var mean: [Double] = []
  private var covariance: [[Double]]
  private var sigma = CMAES.firstSigma
  private var conjugatePath: [Double]
  private var covariancePath: [Double]
  /// Coordinates and fitness of all completely evaluated candidates.
  private var archive: [Known] = []
  private(set) var best: Evaluated?
  private(set) var generation = 0
  private var asked: [Candidate] = []

  private struct Known: Codable {
    var x: [Double]
    var fitness: Double
  }

  /// Samples drawn for each candidate that is evaluated, if the surrogate can choose.
  private static let samplesEach = 10
  /// How many of the latest points the surrogate is fitted to.
  private static let surrogatePoints = 200

  /// The first step size, in logarithms: a factor moves by about 12 %.
  private static let firstSigma = 0.12
  /// The number of pairs over which factors move together, as a share of all pairs.
  private static let smoothness = 0.15

  /// - Parameters:
  ///   - seeds: candidates to evaluate first. The search begins at the best of them.
  ///   - size: candidates in a generation; if nil, it follows from the dimension.
  init(_ space: SearchSpace, seeds: [Candidate], size: Int?, maximumGenerations: Int, seed: UInt64)
  {
    self.space = space
    self.seeds = seeds
    self.maximumGenerations = maximumGenerations
    random = SearchRandom(seed: seed)
    let dimensions = space.pairs + (space.searchesMscale ? 1 : 0)
    self.size = Self.size(size, space)
    covariance = Self.smooth(space, dimensions)
    conjugatePath = Array(repeating: 0, count: dimensions)
    covariancePath = conjugatePath
  }

  /// Candidates in a generation.
  static func size(_ given: Int?, _ space: SearchSpace) -> Int {
    let dimensions = space.pairs + (space.searchesMscale ? 1 : 0)
    return given ?? 4 + Int(3 * log(Double(dimensions)))
  }

  private static func smooth(_ space: SearchSpace, _ dimensions: Int) -> [[Double]] {
    let width = max(1, smoothness * Double(space.pairs))
    return (0..<dimensions).map { i in
      (0..<dimensions).map { j in
        // mscale moves independently of the factors, and less.
        guard i < space.pairs, j < space.pairs else { return i == j ? 0.05 : 0 }
        let distance = Double(i - j) / width
        return exp(-0.5 * distance * distance) + (i == j ? 0.02 : 0)
      }
    }
  }

  // MARK: Dialogue

  private var parentCount: Int { max(1, size / 2) }

  var threshold: Threshold { .best(generation == 0 ? 1 : parentCount) }

  mutating func ask() -> [Candidate] {
    guard asked.isEmpty, generation <= maximumGenerations else { return asked }
    asked = generation == 0 ? seeds : sample()
    for candidate in asked { history.insert(candidate.key) }
    return asked
  }

  mutating func tell(_ results: [Evaluated]) {
    precondition(results.count == asked.count)
    guard !results.isEmpty else { return }
    asked = []
    archive += results.filter(\.isComplete).map {
      Known(x: coordinates($0.candidate), fitness: $0.fitness)
    }
    archive = archive.suffix(Self.surrogatePoints)
    let order = results.indices.sorted {
      (results[$0].isComplete ? 0 : 1, results[$0].fitness, $0) < (
        results[$1].isComplete ? 0 : 1, results[$1].fitness, $1
      )
    }
    if let first = order.first, results[first].isComplete,
      best.map({ results[first].fitness < $0.fitness }) ?? true
    {
      best = results[first]
    }
    if generation == 0 {
      mean = best.map { coordinates($0.candidate) } ?? Array(repeating: 0, count: covariance.count)
    } else {
      learn(order.prefix(parentCount).map { coordinates(results[$0].candidate) })
    }
    generation += 1
  }

  func isSound(pairs: Int) -> Bool {
    let dimensions = pairs + (space.searchesMscale ? 1 : 0)
    let lists = [conjugatePath, covariancePath] + covariance + (generation == 0 ? [] : [mean])
    return covariance.count == dimensions
      && lists.allSatisfy { $0.count == dimensions && $0.allSatisfy(\.isFinite) }
      && asked.isEmpty && sigma.isFinite && sigma > 0 && size >= 2
  }

  // MARK: Coordinates

  private func coordinates(_ candidate: Candidate) -> [Double] {
    candidate.factors.map { log(max($0, 1e-9)) }
      + (space.searchesMscale ? [log(candidate.mscale ?? space.mscale)] : [])
  }

  private func candidate(_ x: [Double]) -> Candidate {
    let limits = log(space.lower)...log(space.upper)
    let clipped = x.prefix(space.pairs).map { min(max($0, limits.lowerBound), limits.upperBound) }
    var candidate = Candidate(Isotonic.nearest(to: clipped).map { exp($0) })
    if space.searchesMscale {
      let range = space.mscaleLimits
      candidate.mscale = min(max(exp(x[space.pairs]), range.lowerBound), range.upperBound)
    }
    return candidate
  }

  private mutating func sample() -> [Candidate] {
    let root = SymmetricRoot(covariance)
    func whitened(_ x: [Double]) -> [Double] {
      root.inverseTimes(zip(x, mean).map { ($0 - $1) / sigma })
    }
    let surrogate = Surrogate(archive.map { whitened($0.x) }, archive.map(\.fitness))
    let samples = distinctSamples(surrogate == nil ? size : size * Self.samplesEach, root)
    guard let surrogate else { return samples }
    let predictions = samples.map { surrogate.prediction(whitened(coordinates($0))) }
    let order = samples.indices.sorted { (predictions[$0], $0) < (predictions[$1], $1) }
    // The other half is not chosen by the surrogate, so that the distribution still learns what the
    // surrogate does not know.
    let promising = order.prefix(size / 2)
    let others = samples.indices.filter { !promising.contains($0) }.prefix(size - promising.count)
    return (promising + others).map { samples[$0] }
  }

  private mutating func distinctSamples(_ count: Int, _ root: SymmetricRoot) -> [Candidate] {
    var made: [Candidate] = []
    var keys: Set<CandidateKey> = []
    var tries = 0
    while made.count < count {
      let z = mean.map { _ in random.normal() }
      let candidate = candidate(zip(mean, root.times(z)).map { $0 + sigma * $1 })
      tries += 1
      // If the search has converged, near-duplicates are unavoidable.
      if tries < 20 * count, history.contains(candidate.key) || !keys.insert(candidate.key).inserted
      {
        continue
      }
      made.append(candidate)
    }
    return made
  }

  // MARK: Learning

  /// Updates the distribution by the tutorial's equations with its default constants.
  ///
  /// Only positive weights are used, because candidates that the race stopped have no rank among
  /// each other.
  private mutating func learn(_ parents: [[Double]]) {
    let n = Double(mean.count)
    let mu = parents.count
    let raw = (1...mu).map { log(Double(size) / 2 + 0.5) - log(Double($0)) }
    let weights = raw.map { max(0, $0) }
    let total = weights.reduce(0, +)
    let w = weights.map { $0 / total }
    let effective = 1 / w.reduce(0) { $0 + $1 * $1 }
    let cSigma = (effective + 2) / (n + effective + 5)
    let dSigma = 1 + 2 * max(0, ((effective - 1) / (n + 1)).squareRoot() - 1) + cSigma
    let cPath = (4 + effective / n) / (n + 4 + 2 * effective / n)
    let cOne = 2 / ((n + 1.3) * (n + 1.3) + effective)
    let cMu = min(1 - cOne, 2 * (effective - 2 + 1 / effective) / ((n + 2) * (n + 2) + effective))
    let expected = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))

    let old = mean
    let steps = parents.map { x in zip(x, old).map { ($0 - $1) / sigma } }
    let step = old.indices.map { i in zip(w, steps).reduce(0) { $0 + $1.0 * $1.1[i] } }
    mean = zip(old, step).map { $0 + sigma * $1 }
    let whitened = SymmetricRoot(covariance).inverseTimes(step)
    let a = (cSigma * (2 - cSigma) * effective).squareRoot()
    conjugatePath = zip(conjugatePath, whitened).map { (1 - cSigma) * $0 + a * $1 }
    let length = conjugatePath.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let decay = (1 - pow(1 - cSigma, 2 * Double(generation))).squareRoot()
    let isShort = length / decay / expected < 1.4 + 2 / (n + 1)
    let b = isShort ? (cPath * (2 - cPath) * effective).squareRoot() : 0
    covariancePath = zip(covariancePath, step).map { (1 - cPath) * $0 + b * $1 }
    let kept = 1 - cOne - cMu + (isShort ? 0 : cOne * cPath * (2 - cPath))
    for i in covariance.indices {
      for j in covariance.indices {
        let rank = zip(w, steps).reduce(0) { $0 + $1.0 * $1.1[i] * $1.1[j] }
        covariance[i][j] =
          kept * covariance[i][j] + cOne * covariancePath[i] * covariancePath[j] + cMu * rank
      }
    }
    sigma *= exp(min(1, cSigma / dSigma * (length / expected - 1)))
  }
}
