/// What came of a candidate. Lower is better.
public struct Evaluated: Codable, Equatable, Sendable {
  public var candidate: Candidate
  /// The loss of every unit that was evaluated, by the unit's place in the run's order; all of them unless the race stopped it.
  public var losses: [Double]
  /// Whether every unit was evaluated.
  public var isComplete: Bool

  /// The mean of the losses that are known.
  public var fitness: Double { losses.reduce(0, +) / Double(max(1, losses.count)) }
}

/// What a new candidate must be able to reach to matter.
public enum Bar: Sendable {
  /// As good as this one, which is completely known.
  case candidate(Evaluated)
  /// Among the best so many of those asked for with it.
  case best(Int)
}

/// A search as a dialogue: it asks for candidates to be evaluated and is told what they are worth. Its state is all there
/// is to it, so that a run can stop after any answer and go on from there.
public protocol SearchAlgorithm: Codable, Sendable {
  /// Candidates to evaluate next; the same until they are told. Empty when the search has ended.
  mutating func ask() -> [Candidate]
  /// What must be reached by those just asked for.
  var bar: Bar { get }
  /// The results, in the order asked for.
  mutating func tell(_ results: [Evaluated])
  /// The best that is completely known.
  var best: Evaluated? { get }
}
