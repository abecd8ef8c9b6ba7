/// How far a search is.
public struct SearchProgress: Sendable {
  /// The generation that was just evaluated.
  public let generation: SearchLoop.Generation
  /// The share of the work that is done, from 0 to 1, as far as it can be known.
  public let share: Double
}
