/// The cost of a search: what was evaluated.
public struct SearchCost: Codable, Equatable, Sendable {
  /// Candidates that were evaluated, in full or in part.
  public var evaluations = 0
  /// Computed losses, one for each candidate and unit.
  public var units = 0
  /// Tokens of those units.
  public var tokens = 0
  /// Candidates that the race stopped.
  public var stopped = 0
  /// Stopped candidates that were evaluated to the end.
  public var audited = 0
  /// Audited candidates that reached the threshold.
  public var wronglyStopped = 0
  /// Tokens of the audits, which `tokens` does not include.
  public var auditTokens = 0

  /// The cost of a search that has not begun.
  public init() {}
}
