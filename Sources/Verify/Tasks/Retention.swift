import Glibc
public import Inference
import Numerics

/// The cost of a patch within the original window: the model against its baseline, token by token.
public struct Retention: Sendable {
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
    /// The model's perplexity divided by the baseline's.
    public var ratio: Double { perplexity / baselinePerplexity }
  }

  private let windows: [Perplexity.Window]
  private let length: Int

  /// Compares on the windows of a perplexity.
  public init(_ measure: Perplexity) {
    windows = measure.windows
    length = measure.length
  }

  private struct Sums {
    var loss = 0.0
    var baselineLoss = 0.0
    var divergence = 0.0
    var agreements = 0
    var tokens = 0
  }

  /// Compares every runtime with the baseline, and calls `each` with every result.
  /// - Parameter baseline: each policy of `scoring` is compared with the one of the same name here,
  ///   or with the first.
  public func run(_ scoring: Scoring, baseline: Scoring, each: (Result) throws -> Void) throws {
    var done: [(schedules: [RopeSchedule], variants: [String?], sums: Sums)] = []
    for policy in scoring.policies {
      guard
        let before = baseline.policies.first(where: { $0.name == policy.name })
          ?? baseline.policies.first
      else { continue }
      let schedules = [policy, before].map { $0.schedule(prompt: length, count: length) }
      let variants = [(scoring, policy), (baseline, before)].map { scoring, policy in
        scoring.forward.model.variant(for: policy.name).isVariant ? policy.name : nil
      }
      let known = done.first { $0.schedules == schedules && $0.variants == variants }?.sums
      let sums =
        try known
        ?? sums(
          scoring.forward.running(scoring.forward.model.variant(for: policy.name).model),
          schedules[0],
          baseline.forward.running(baseline.forward.model.variant(for: before.name).model),
          schedules[1])
      done.append((schedules, variants, sums))
      try each(result(sums, policy.name))
    }
  }

  private func result(_ sums: Sums, _ runtime: String) -> Result {
    let count = Double(sums.tokens)
    return Result(
      runtime: runtime, length: length, perplexity: exp(sums.loss / count),
      baselinePerplexity: exp(sums.baselineLoss / count), divergence: sums.divergence / count,
      agreement: Double(sums.agreements) / count, tokens: sums.tokens)
  }

  private func sums(
    _ model: ForwardPass, _ schedule: RopeSchedule, _ baseline: ForwardPass,
    _ baselineSchedule: RopeSchedule
  ) throws -> Sums {
    var sums = Sums()
    for window in windows {
      let rows = window.scored.map { $0 - 1 }
      let states = try model.states(Batch(window.tokens, schedule), wanted: rows)
      let others = try baseline.states(Batch(window.tokens, baselineSchedule), wanted: rows)
      // Logits of both are alive for a few rows at a time.
      for start in stride(from: 0, to: rows.count, by: 64) {
        let part = Array(start..<min(start + 64, rows.count))
        let logits = try model.logits(states, rows: part)
        let otherLogits = try baseline.logits(others, rows: part)
        for (index, place) in part.enumerated() {
          let token = window.tokens[window.scored[place]]
          add(logits, otherLogits, index, token, model.engine, to: &sums)
        }
      }
    }
    return sums
  }

  private func add(
    _ logits: Matrix, _ others: Matrix, _ row: Int, _ token: Int, _ engine: Engine,
    to sums: inout Sums
  ) {
    let (total, greedy) = engine.logSumExp(logits, row: row)
    let (otherTotal, otherGreedy) = engine.logSumExp(others, row: row)
    var divergence = 0.0
    for column in 0..<min(logits.columns, others.columns) {
      let before = Double(others[row, column]) - otherTotal
      guard before > -80 else { continue }
      divergence += exp(before) * (before - (Double(logits[row, column]) - total))
    }
    sums.loss += total - Double(logits[row, token])
    sums.baselineLoss += otherTotal - Double(others[row, token])
    sums.divergence += divergence
    sums.agreements += greedy == otherGreedy ? 1 : 0
    sums.tokens += 1
  }
}
