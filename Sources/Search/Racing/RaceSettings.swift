/// Decides when candidates are stopped early.
public struct RaceSettings: Codable, Equatable, Sendable {
  /// Whether candidates are stopped early at all.
  public var isOn = true
  /// The probability, over all looks at one candidate, of stopping it although it would reach the
  /// threshold.
  public var alpha = 0.05
  /// The share of stopped candidates that are evaluated to the end, to count those stopped wrongly.
  public var audit = 0.05

  /// The settings that a new search has.
  public init() {}
}
