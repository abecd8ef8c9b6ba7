public import Inference
import Numerics

/// The model against its baseline, token by token: the cost of a patch within the original window,
/// or of another quantisation at every position.
public struct Retention: Sendable {
  /// The standard errors of a comparison, from the spread over its tokens.
  public struct Errors: Equatable, Sendable {
    /// That of the model's perplexity.
    public var perplexity: Double
    /// That of the ratio of both perplexities, whose tokens are paired.
    public var ratio: Double
    /// That of the mean divergence, in nats per token.
    public var divergence: Double
  }

  /// How both models compare at some positions of the window.
  public struct Part: Equatable, Sendable {
    /// The positions in the window.
    public var positions: Range<Int>
    /// The model's perplexity divided by the baseline's.
    public var ratio: Double
    /// The mean Kullback-Leibler divergence of the model from its baseline, in nats per token.
    public var divergence: Double
    /// The share of positions at which both find the same token likeliest.
    public var agreement: Double
    /// The number of scored tokens.
    public var tokens: Int
    /// The standard errors; nil in a result that lacks them.
    public var errors: Errors?
  }

  /// How one runtime's model compares with its baseline at one length.
  public struct Result: Equatable, Sendable {
    /// The name of the runtime.
    public var runtime: String
    /// The length of a window, in tokens.
    public var length: Int
    /// The model's perplexity.
    public var perplexity: Double
    /// The baseline's perplexity on the same tokens.
    public var baselinePerplexity: Double
    /// The mean Kullback-Leibler divergence of the model from its baseline, in nats per token.
    public var divergence: Double
    /// The share of positions at which both find the same token likeliest.
    public var agreement: Double
    /// The number of scored tokens.
    public var tokens: Int
    /// The standard errors; nil in a result that lacks them.
    public var errors: Errors?
    /// The same by position; empty unless asked for.
    public var parts: [Part] = []
    /// The model's perplexity divided by the baseline's.
    public var ratio: Double { perplexity / baselinePerplexity }
  }

  private let windows: [Perplexity.Window]
  private let length: Int
  /// The number of equal parts of the window that are compared by themselves.
  private let partCount: Int

  /// Compares on the windows of a perplexity.
  /// - Parameter parts: the number of equal parts of the window that are also compared by themselves.
  public init(_ measure: Perplexity, parts: Int = 1) {
    windows = measure.windows
    length = measure.length
    partCount = max(1, min(parts, measure.length))
  }

  /// Compares every runtime with the baseline, and calls `each` with every result.
  /// - Parameter baseline: each policy of `scoring` is compared with the one like it here.
  public func run(_ scoring: Scoring, baseline: Scoring, each: (Result) throws -> Void) throws {
    try run(scoring, baseline: baseline, kept: nil, each: each)
  }

  /// The same.
  /// - Parameter kept: the baseline's hidden states of other comparisons with it.
  func run(
    _ scoring: Scoring, baseline: Scoring, kept: BaselineStates?, each: (Result) throws -> Void
  ) throws {
    var done:
      [(schedules: [RopeSchedule], variants: [Transformer.Variant?], sums: [RetentionSums])] = []
    for policy in scoring.policies {
      guard let before = baseline.policy(like: policy) else { continue }
      let schedules = [policy, before].map { $0.schedule(prompt: length, count: length) }
      let variants = [(scoring, policy), (baseline, before)].map { scoring, policy in
        scoring.forward.model.variant(of: policy.name)
      }
      let known = done.first { $0.schedules == schedules && $0.variants == variants }?.sums
      let sums =
        try known
        ?? sums(
          scoring.forward.running(scoring.forward.model.applying(variants[0])),
          schedules[0],
          baseline.forward.running(baseline.forward.model.applying(variants[1])),
          schedules[1], kept.map { ($0, variants[1]) })
      done.append((schedules, variants, sums))
      try each(result(sums, policy.name))
    }
  }

  /// The first position of a part.
  private func start(of part: Int) -> Int { (part * length + partCount - 1) / partCount }

  /// - Parameter parts: the sums of each part of the window.
  private func result(_ parts: [RetentionSums], _ runtime: String) -> Result {
    let sums = parts.reduce(into: RetentionSums()) { $0.add($1) }
    var result = Result(
      runtime: runtime, length: length, perplexity: sums.perplexity,
      baselinePerplexity: sums.baselinePerplexity, divergence: sums.divergence.mean,
      agreement: sums.agreement, tokens: sums.tokens, errors: sums.errors)
    guard parts.count > 1 else { return result }
    result.parts = parts.enumerated().filter { $1.tokens > 0 }.map { part, sums in
      Part(
        positions: start(of: part)..<start(of: part + 1), ratio: sums.ratio,
        divergence: sums.divergence.mean, agreement: sums.agreement, tokens: sums.tokens,
        errors: sums.errors)
    }
    return result
  }

  /// - Parameter kept: the baseline's hidden states, and its variant.
  private func sums(
    _ model: ForwardPass, _ schedule: RopeSchedule, _ baseline: ForwardPass,
    _ baselineSchedule: RopeSchedule,
    _ kept: (states: BaselineStates, variant: Transformer.Variant?)?
  ) throws -> [RetentionSums] {
    var sums = Array(repeating: RetentionSums(), count: partCount)
    for window in windows {
      let rows = window.scored.map { $0 - 1 }
      let states = try model.states(Batch(window.tokens, schedule), wanted: rows)
      func computeOthers() throws -> Matrix {
        try baseline.states(Batch(window.tokens, baselineSchedule), wanted: rows)
      }
      let others =
        try kept.map {
          try $0.states.of(window, baselineSchedule, $0.variant, compute: computeOthers)
        } ?? computeOthers()
      // Logits of both are alive for a few rows at a time.
      for start in stride(from: 0, to: rows.count, by: 64) {
        let part = Array(start..<min(start + 64, rows.count))
        let logits = try model.logits(states, rows: part)
        let otherLogits = try baseline.logits(others, rows: part)
        for (index, place) in part.enumerated() {
          let position = window.scored[place]
          sums[position * partCount / length].add(
            logits, otherLogits, row: index, token: window.tokens[position], model.engine)
        }
      }
    }
    return sums
  }
}
