import Patch

/// DCIS, the divide and conquer incremental search (arXiv 2412.18811): it adds the same number to
/// all factors of a segment, and keeps the best of ten; then it halves the segments.
///
/// It begins with YaRN and two segments, and goes through them from the slow pairs to the fast ones.
/// A list is replaced at once, so that the next segment is tried on top of it.
///
/// Differences from the published code: the present list always competes, so that no step is a loss;
/// lists stay within the space, and so do not decrease; and numbers go from -1.25 s to 1.25 s at
/// first, which are the code's -5 to 5 at s = 4.
struct DivideAndConquer: SearchAlgorithm {
  private let space: SearchSpace
  /// The lists that are evaluated first.
  private var forms: [Candidate]
  /// The number of pairs in a segment.
  private var width: Int
  /// The range of the numbers for each segment, from the fast pairs to the slow ones.
  private var ranges: [Range]
  /// The segment that is tried; the segments above it are done.
  private var segment: Int
  /// The ranges of the halves, as far as they are known, by segment.
  private var halves: [Range?]
  private var asked: [Candidate] = []
  /// The number that each pending candidate adds.
  private var numbers: [Double] = []
  private(set) var best: Evaluated?

  private struct Range: Codable, Sendable {
    var low: Double
    var high: Double

    /// The distance between two of the numbers that are tried.
    var step: Double { (high - low) / Double(trials - 1) }
  }

  /// No sound state has a number as great as this.
  private static let beyondAny = 1e9
  /// The numbers that are tried for a segment.
  private static let trials = 10
  /// The best of these determine the range of the halves.
  private static let bestTrials = 3
  /// The greatest number of the first range, as a multiple of s.
  private static let greatestNumber = 1.25

  /// - Parameter given: candidates to evaluate first; the best of them and YaRN is the beginning.
  init(_ space: SearchSpace, given: [Candidate]) {
    self.space = space
    let yarn = Candidate(space.fitted(ClosedForm.yarn.factors(space.settings)))
    forms = given + (given.contains { $0.key == yarn.key } ? [] : [yarn])
    width = max(1, space.pairs / 2)
    let count = Self.segments(of: width, pairs: space.pairs)
    let greatest = Self.greatestNumber * space.scale
    ranges = Array(repeating: Range(low: -greatest, high: greatest), count: count)
    halves = Array(repeating: nil, count: count)
    segment = count - 1
  }

  /// The number of segments; the last one may be smaller than the others.
  private static func segments(of width: Int, pairs: Int) -> Int { (pairs + width - 1) / width }

  /// The evaluations of a whole search, without those of given candidates.
  static func evaluations(pairs: Int) -> Double {
    var (sum, width) = (1, pairs / 2)
    while width >= 1 {
      sum += trials * segments(of: width, pairs: pairs)
      width /= 2
    }
    return Double(sum)
  }

  var threshold: Threshold { best.map { .candidate($0) } ?? .best(1) }

  mutating func ask() -> [Candidate] {
    guard asked.isEmpty else { return asked }
    if best == nil {
      asked = forms
      return asked
    }
    while asked.isEmpty, width >= 1 { tryNextSegment() }
    return asked
  }

  /// Proposes lists for the next segment, or goes on to the one after it if they are all known.
  private mutating func tryNextSegment() {
    if segment < 0 { halve() }
    guard width >= 1, let best else { return }
    let range = ranges[segment]
    let pairs = segment * width..<min((segment + 1) * width, space.pairs)
    for index in 0..<Self.trials {
      let number = range.low + Double(index) * range.step
      var factors = best.candidate.factors
      for pair in pairs { factors[pair] += number }
      let limited = factors.map { min(max($0, space.lower), space.upper) }
      let candidate = Candidate(Isotonic.nearest(to: limited))
      guard candidate.key != best.candidate.key,
        !asked.contains(where: { $0.key == candidate.key })
      else { continue }
      asked.append(candidate)
      numbers.append(number)
    }
    if asked.isEmpty {
      halves[segment] = range
      segment -= 1
    }
  }

  /// Goes on to segments of half the width.
  private mutating func halve() {
    let old = halves.enumerated().map { $1 ?? ranges[$0] }
    width /= 2
    guard width >= 1 else { return }
    let count = Self.segments(of: width, pairs: space.pairs)
    ranges = (0..<count).map { old[min($0 / 2, old.count - 1)] }
    halves = Array(repeating: nil, count: count)
    segment = count - 1
  }

  mutating func tell(_ results: [Evaluated]) {
    precondition(results.count == asked.count)
    let tried = numbers
    (asked, numbers) = ([], [])
    let known = results.enumerated().filter { $0.element.isComplete }
      .sorted { $0.element.fitness < $1.element.fitness }
    guard let old = best else { return best = known.first?.element }
    var added = 0.0
    if let winner = known.first, winner.element.fitness < old.fitness {
      best = winner.element
      added = tried[winner.offset]
    }
    // The present list has added nothing.
    var trials = known.map { (fitness: $0.element.fitness, number: tried[$0.offset]) }
    trials.append((old.fitness, 0))
    let good = trials.sorted { $0.fitness < $1.fitness }.prefix(Self.bestTrials).map(\.number)
    let step = ranges[segment].step
    halves[segment] = Range(
      low: (good.min() ?? 0) - step - added, high: (good.max() ?? 0) + step - added)
    segment -= 1
  }

  func isSound(pairs: Int) -> Bool {
    let known = ranges + halves.compactMap(\.self)
    return forms.allSatisfy { $0.factors.count == pairs } && asked.isEmpty
      && (0...pairs).contains(width) && ranges.count == halves.count
      && (width == 0 || ranges.count == Self.segments(of: width, pairs: pairs))
      && (-1..<ranges.count).contains(segment)
      && known.allSatisfy { abs($0.low) < Self.beyondAny && abs($0.high) < Self.beyondAny }
  }
}
