import Formats

/// Everything that a verification has measured, and what is still missing.
public struct Measurements: Equatable, Sendable {
  /// The model's window before any extension, in tokens.
  public var originalWindow: Int
  /// Passkeys, one result for each prompt and runtime.
  public var passkeys: [Passkey.Result] = []
  /// The baseline's results for the same passkeys, if it was asked.
  public var baselinePasskeys: [Passkey.Result] = []
  /// Answers to needle and RULER prompts, one for each prompt and runtime.
  public var answers: [AnswerResult] = []
  /// Perplexities of texts.
  public var perplexities: [NamedPerplexity] = []
  /// Comparisons with a baseline.
  public var retentions: [Retention.Result] = []
  /// Perplexities beyond the original window.
  public var crossings: [WindowCrossing.Result] = []
  /// Answers to benchmarks, one entry for each benchmark and runtime.
  public var benchmarks: [BenchmarkResult] = []
  /// Tasks that could not be done.
  public var skipped: [Skipped] = []
  /// The number of planned results that have not been measured, by place.
  public var missing: [Place: Int] = [:]

  /// Measurements without any result.
  public init(originalWindow: Int) { self.originalWindow = originalWindow }

  /// Where a metric is measured.
  public struct Place: Hashable, Sendable {
    /// The metric.
    public var metric: Metric
    /// The name of the runtime.
    public var runtime: String
    /// The length, in tokens.
    public var length: Int

    /// Creates a place.
    public init(metric: Metric, runtime: String, length: Int) {
      self.metric = metric
      self.runtime = runtime
      self.length = length
    }
  }

  /// A task that cannot be done at a length.
  public struct Skipped: Equatable, Sendable {
    /// The name of the task.
    public var task: String
    /// The length, in tokens.
    public var length: Int
    /// Why it cannot be done.
    public var reason: String
  }

  /// The perplexity of a text.
  public struct NamedPerplexity: Equatable, Sendable {
    /// The name of the text.
    public var text: String
    /// Its perplexity for one runtime, at one length.
    public var result: Perplexity.Result
  }

  /// The names of the runtimes, in the order in which they were first measured.
  public var runtimes: [String] {
    let names =
      passkeys.map(\.runtime) + answers.map(\.runtime) + perplexities.map(\.result.runtime)
      + retentions.map(\.runtime) + crossings.map(\.runtime) + benchmarks.map(\.runtime)
      + missing.keys.map(\.runtime).sorted()
    return names.uniqued
  }

  /// The lengths, in tokens, in ascending order.
  public var lengths: [Int] {
    Set(
      passkeys.map(\.cell.length) + answers.map(\.cell.length) + perplexities.map(\.result.length)
        + retentions.map(\.length) + crossings.map(\.length) + missing.keys.map(\.length)
        + benchmarks.prefix(1).map { _ in originalWindow }
    ).sorted()
  }

  /// The metrics that have a value anywhere.
  public var metrics: [Metric] {
    Metric.names.compactMap(Metric.init).filter { metric in
      runtimes.contains { runtime in
        lengths.contains {
          partialValue(Place(metric: metric, runtime: runtime, length: $0)) != nil
        }
      }
    }
  }
}
