/// What a gate can be about.
public struct Metric: RawRepresentable, Hashable, Sendable {
  public var rawValue: String

  /// nil for a name that is none.
  public init?(rawValue: String) {
    guard Self.names.contains(rawValue) else { return nil }
    self.rawValue = rawValue
  }

  private init(_ name: String) { rawValue = name }

  public static let passkey = Metric("passkey")
  public static let publishedPasskey = Metric("passkey_published")
  public static let perplexity = Metric("perplexity")
  public static let perplexityRatio = Metric("perplexity_ratio")
  public static let divergence = Metric("kl")
  public static let agreement = Metric("top1")
  public static let crossing = Metric("crossing")
  public static let effectiveLength = Metric("effective_length")

  /// Whether a smaller value is the better one.
  public var isBetterWhenLess: Bool { [.perplexity, .perplexityRatio, .divergence, .crossing].contains(self) }

  /// The score of a task that is answered by generation.
  public static func answers(_ task: String) -> Metric { Metric(task) }

  public static let names: [String] =
    [passkey, publishedPasskey, perplexity, perplexityRatio, divergence, agreement, crossing, effectiveLength]
    .map(\.rawValue) + ["niah"] + RULERTask.allCases.map(\.rawValue)
}
