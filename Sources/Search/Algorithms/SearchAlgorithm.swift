/// A search that proposes candidates (`ask`) and receives their losses (`tell`).
///
/// Its value is its whole state, so a run can stop after any `tell` and resume from there.
public protocol SearchAlgorithm: Codable, Sendable {
  /// The candidates to evaluate next; empty if the search has ended.
  ///
  /// They stay the same until `tell`.
  mutating func ask() -> [Candidate]
  /// The loss that the pending candidates must beat.
  var threshold: Threshold { get }
  /// Receives the results of the pending candidates, in their order.
  mutating func tell(_ results: [Evaluated])
  /// Whether the derivatives of the pending candidates are wanted with their losses.
  var wantsDerivatives: Bool { get }
  /// The best candidate that is completely evaluated.
  var best: Evaluated? { get }
}

extension SearchAlgorithm {
  /// False: most algorithms do with losses.
  public var wantsDerivatives: Bool { false }
}
