/// The loss that a new candidate must beat to be worth a complete evaluation.
public enum Threshold: Sendable {
  /// The loss of this candidate, which is completely evaluated.
  case candidate(Evaluated)
  /// The loss of the n-th best of the candidates in the same generation.
  case best(Int)
}
