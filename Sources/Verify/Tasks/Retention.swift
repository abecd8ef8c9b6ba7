import Glibc
public import Inference
import Numerics

/// The model against its baseline, token by token: the cost of a patch within the original window,
/// or of another quantisation at every position.
public struct Retention: Sendable {
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

  private struct Sums {
    var loss = 0.0
    var baselineLoss = 0.0
    var divergence = 0.0
    var agreements = 0
    var tokens = 0

    mutating func add(_ other: Sums) {
      loss += other.loss
      baselineLoss += other.baselineLoss
      divergence += other.divergence
      agreements += other.agreements
      tokens += other.tokens
    }
  }

  /// Compares every runtime with the baseline, and calls `each` with every result.
  /// - Parameter baseline: each policy of `scoring` is compared with the one like it here.
  public func run(_ scoring: Scoring, baseline: Scoring, each: (Result) throws -> Void) throws {
    var done: [(schedules: [RopeSchedule], variants: [String?], sums: [Sums])] = []
    for policy in scoring.policies {
      guard let before = baseline.policy(like: policy) else { continue }
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

  /// The first position of a part.
  private func start(of part: Int) -> Int { (part * length + partCount - 1) / partCount }

  /// - Parameter parts: the sums of each part of the window.
  private func result(_ parts: [Sums], _ runtime: String) -> Result {
    let sums = parts.reduce(into: Sums()) { $0.add($1) }
    let count = Double(sums.tokens)
    var result = Result(
      runtime: runtime, length: length, perplexity: exp(sums.loss / count),
      baselinePerplexity: exp(sums.baselineLoss / count), divergence: sums.divergence / count,
      agreement: Double(sums.agreements) / count, tokens: sums.tokens)
    guard parts.count > 1 else { return result }
    result.parts = parts.enumerated().filter { $1.tokens > 0 }.map { part, sums in
      let count = Double(sums.tokens)
      return Part(
        positions: start(of: part)..<start(of: part + 1),
        ratio: exp((sums.loss - sums.baselineLoss) / count), divergence: sums.divergence / count,
        agreement: Double(sums.agreements) / count, tokens: sums.tokens)
    }
    return result
  }

  private func sums(
    _ model: ForwardPass, _ schedule: RopeSchedule, _ baseline: ForwardPass,
    _ baselineSchedule: RopeSchedule
  ) throws -> [Sums] {
    var sums = Array(repeating: Sums(), count: partCount)
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
          let position = window.scored[place]
          add(
            logits, otherLogits, index, window.tokens[position], model.engine,
            to: &sums[position * partCount / length])
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
