/// The cost of a search: what was evaluated.
public struct SearchCost: Codable, Equatable, Sendable {
  /// Candidates whose evaluation was begun.
  public var evaluations = 0
  public var units = 0
  public var tokens = 0
  public var stopped = 0
  /// Stopped candidates that were evaluated to the end, and those of them that reached the threshold.
  public var audited = 0
  public var wronglyStopped = 0
  /// Tokens of the audits, which `tokens` does not include.
  public var auditTokens = 0

  public init() {}
}
