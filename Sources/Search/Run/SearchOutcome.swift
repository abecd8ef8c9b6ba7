public import Patch
public import Verify

/// What a search found.
public struct SearchOutcome: Sendable {
  /// The settings, and the state at the end.
  public let checkpoint: Checkpoint
  /// The best candidate; nil if no generation was evaluated.
  public let best: Evaluated?
  /// The best factors as a set with its provenance, which can be applied to the model; nil if no
  /// generation was evaluated.
  public let factors: FactorSet?
  /// The cost of the search, also of candidates in a generation that was not evaluated whole.
  public let cost: SearchCost
  /// Why the search ended early; nil if it came to its own end.
  public let stop: EarlyStop?
  /// How long the search took, since it was begun or resumed.
  public let seconds: Double

  /// The generations that are complete.
  public var generations: [SearchLoop.Generation] { checkpoint.state?.generations ?? [] }
}
