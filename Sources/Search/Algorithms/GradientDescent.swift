import Glibc
import Patch

/// Descends along the derivatives of the loss by all factors at once, from the best of many closed
/// forms.
///
/// First it evaluates YaRN, NTK and NTK-left, and steps: 1 below some pair, s from there on. From
/// the best of them a quasi-Newton method (`Descent`) goes downhill, within the same space of
/// non-decreasing lists as the other algorithms; then from the next best ones.
struct GradientDescent: SearchAlgorithm {
  private let space: SearchSpace
  private let maximumSteps: Int
  /// The forms that are not evaluated yet.
  private var forms: [Candidate]
  /// The pairs at which steps were tried.
  private var stepPairs: Set<Int> = []
  /// Evaluated forms from which no descent has begun, the best first.
  private var starts: [Evaluated] = []
  private var descent: Descent?
  /// The number of descents that have begun.
  private var descents = 0
  private var steps = 0
  private var asked: [Candidate] = []
  private(set) var best: Evaluated?

  /// Forms that are evaluated together.
  private static let formsTogether = 4
  /// The number of starting points.
  private static let mostDescents = 3
  /// After this many steps, a descent that will not come below the best is given up.
  private static let patience = 5

  /// - Parameters:
  ///   - given: candidates to evaluate first.
  ///   - critical: the only pair at which a step or NTK-left begins, or nil to try several.
  ///   - maximumSteps: the most evaluations of derivatives.
  init(_ space: SearchSpace, given: [Candidate], critical: Int?, maximumSteps: Int) {
    self.space = space
    self.maximumSteps = maximumSteps
    forms = []
    let last = critical ?? space.settings.candidateCriticalPairs.upperBound
    let first = critical ?? space.settings.candidateCriticalPairs.lowerBound
    add(given)
    add([ClosedForm.yarn, .ntkTheta].map { candidate($0.factors(space.settings)) })
    // LongRoPE2 finds factors above s from a pair below the theoretical one.
    for lambda in [space.scale, 1.1 * space.scale] {
      add([last, (first + last) / 2].map { ntkLeft($0, lambda) })
    }
    let pairs = critical.map { [$0] } ?? Array(stride(from: last + 1, through: first, by: -2))
    add(pairs.map { step(at: $0) })
    stepPairs = Set(pairs)
  }

  private mutating func add(_ candidates: [Candidate]) {
    for candidate in candidates where !forms.contains(where: { $0.key == candidate.key }) {
      forms.append(candidate)
    }
  }

  // MARK: Forms

  private func candidate(_ factors: [Double]) -> Candidate {
    Candidate(space.fitted(factors), mscale: space.searchesMscale ? space.mscale : nil)
  }

  private func ntkLeft(_ pair: Int, _ lambda: Double) -> Candidate {
    candidate(ClosedForm.ntkLeft(pairs: space.pairs, criticalPair: pair, lambda: lambda))
  }

  /// 1 below a pair, s from it on.
  private func step(at pair: Int) -> Candidate {
    candidate((0..<space.pairs).map { $0 < pair ? 1 : space.scale })
  }

  /// The pair at which a list jumps from 1, or nil.
  private func stepPair(_ candidate: Candidate) -> Int? {
    stepPairs.first { step(at: $0).key == candidate.key }
  }

  // MARK: Dialogue

  var threshold: Threshold { best.map { .candidate($0) } ?? .best(1) }

  var wantsDerivatives: Bool { forms.isEmpty && descent != nil }

  mutating func ask() -> [Candidate] {
    guard asked.isEmpty else { return asked }
    if forms.isEmpty {
      if descent?.isDone ?? true { beginDescent() }
      asked = steps < maximumSteps ? descent.map { [$0.candidate] } ?? [] : []
    } else {
      asked = Array(forms.prefix(Self.formsTogether))
    }
    return asked
  }

  private mutating func beginDescent() {
    guard !starts.isEmpty, descents < Self.mostDescents else { return descent = nil }
    descent = Descent(space, from: starts.removeFirst().candidate)
    descents += 1
  }

  mutating func tell(_ results: [Evaluated]) {
    precondition(results.count == asked.count)
    asked = []
    for result in results where result.isComplete {
      if best.map({ result.fitness < $0.fitness }) ?? true { best = result }
    }
    if forms.isEmpty {
      guard let result = results.first, let derivatives = result.derivatives else { return }
      steps += 1
      descent?.tell(result.fitness, derivatives)
      if let own = descent, own.steps >= Self.patience, let best, own.isHopeless(best.fitness) {
        descent = nil
      }
      return
    }
    forms.removeFirst(results.count)
    starts += results.filter(\.isComplete)
    starts.sort { $0.fitness < $1.fitness }
    if forms.isEmpty { addNeighbours() }
  }

  /// Tries the steps next to the best one.
  private mutating func addNeighbours() {
    guard let pair = starts.compactMap({ stepPair($0.candidate) }).first else { return }
    let pairs = [pair - 1, pair + 1].filter {
      (1..<space.pairs).contains($0) && !stepPairs.contains($0)
    }
    stepPairs.formUnion(pairs)
    add(pairs.map { step(at: $0) })
  }

  func isSound(pairs: Int) -> Bool {
    let candidates = forms + starts.map(\.candidate)
    return candidates.allSatisfy { $0.factors.count == pairs } && asked.isEmpty
      && descent?.isSound(pairs: pairs) ?? true
  }
}
