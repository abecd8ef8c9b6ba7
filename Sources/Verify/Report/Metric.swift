/// A measured quantity that a gate can set a limit for.
public struct Metric: RawRepresentable, Hashable, Sendable {
  /// The name in gates and results.
  public var rawValue: String

  /// The metric with a name of `names`; nil for any other name.
  public init?(rawValue: String) {
    guard Self.names.contains(rawValue) else { return nil }
    self.rawValue = rawValue
  }

  private init(_ name: String) { rawValue = name }

  /// The share of passkeys that greedy decoding finds exactly.
  public static let passkey = Metric("passkey")
  /// The share of passkeys that count as found by LongRoPE's own rule.
  public static let publishedPasskey = Metric("passkey_published")
  /// The perplexity of a text.
  public static let perplexity = Metric("perplexity")
  /// The perplexity relative to the baseline's.
  public static let perplexityRatio = Metric("perplexity_ratio")
  /// The Kullback-Leibler divergence from the baseline, in nats per token.
  public static let divergence = Metric("kl")
  /// The share of positions at which model and baseline have the same likeliest token.
  public static let agreement = Metric("top1")
  /// The perplexity of tokens generated across the end of the original window.
  public static let crossing = Metric("crossing")
  /// RULER's effective context length, in tokens.
  public static let effectiveLength = Metric("effective_length")

  /// The share of the baseline's mean score in all benchmarks that the model has kept.
  public static let retained = Metric("retained")

  /// The share of the baseline's score in one benchmark that the model has kept.
  public static func retained(_ benchmark: Benchmark) -> Metric {
    Metric("retained_\(benchmark.name)")
  }

  /// Whether it compares the answers to benchmarks with a baseline's.
  var isRetained: Bool {
    self == .retained || Benchmark.all.contains { .retained($0) == self }
  }

  /// The metrics of each answer to a benchmark.
  static func of(_ benchmark: Benchmark, withBaseline: Bool) -> [Metric] {
    [.answers(benchmark.name)] + (withBaseline ? [.retained(benchmark), .retained] : [])
  }

  /// Whether it is about benchmarks.
  package var isOfBenchmarks: Bool { isRetained || Benchmark.named(rawValue) != nil }

  /// The score of a task that is answered by generation or by choice.
  public static func answers(_ task: String) -> Metric { Metric(task) }

  /// Whether a smaller value is better.
  public var isBetterWhenLess: Bool {
    [.perplexity, .perplexityRatio, .divergence, .crossing].contains(self)
  }

  /// Whether it is a share from 0 to 1.
  public var isShare: Bool {
    !isBetterWhenLess && self != .effectiveLength && !isRetained
  }

  /// The names of all metrics.
  public static let names: [String] =
    [
      passkey, publishedPasskey, perplexity, perplexityRatio, divergence, agreement, crossing,
      effectiveLength,
    ]
    .map(\.rawValue) + [TaskGrid.Task.niah, .rag].map(\.name) + RULERTask.allCases.map(\.rawValue)
    + Benchmark.names + [retained.rawValue] + Benchmark.all.map { retained($0).rawValue }
}
