/// The cost of a search: what was evaluated.
public struct SearchCost: Codable, Equatable, Sendable {
  /// Candidates that were evaluated, in full or in part.
  public var evaluations = 0
  /// Computed losses, one for each candidate and unit.
  public var units = 0
  /// Tokens of those units; those whose derivatives were computed count `gradientCost` times.
  public var tokens = 0
  /// Candidates that the race stopped.
  public var stopped = 0
  /// Stopped candidates that were evaluated to the end.
  public var audited = 0
  /// Audited candidates that reached the threshold.
  public var wronglyStopped = 0
  /// Tokens of the audits, which `tokens` does not include.
  public var auditTokens = 0

  /// Whether all counts are ones to which a search can add.
  var isSound: Bool {
    [evaluations, units, tokens, stopped, audited, wronglyStopped, auditTokens].allSatisfy {
      (0...1 << 60).contains($0)
    }
  }

  /// The time for a loss and its derivatives, in times for the loss alone: 2.8 to 3.2 measured
  /// (specs/verification.md).
  public static let gradientCost = 3.1

  /// The cost of a search that has not begun.
  public init() {}
}
