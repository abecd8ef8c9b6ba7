import Glibc

/// How much of a baseline's score a model has kept, from answers to the same questions.
///
/// With several benchmarks it is the mean of the model's scores divided by the mean of the
/// baseline's, as in LongRoPE2 (arXiv 2502.20082).
public struct RetainedShare: Equatable, Sendable {
  /// The model's score divided by the baseline's.
  public let share: Double
  /// The ends of its 95 % interval.
  public let interval: ClosedRange<Double>

  /// Compares the answers to one or several benchmarks.
  ///
  /// The interval is that of the logarithm of a ratio of means of pairs (the delta method), with the
  /// benchmarks independent. For one benchmark its variance is (b + c) / (x y), where b and c
  /// questions are right only with the one and only with the other model, as in McNemar's test, and
  /// x and y are right with each. If no question differs, it is that of one that does: a few equal
  /// answers prove little.
  /// - Parameter score: the index of a score, if there is one benchmark.
  /// - Returns: nil if a baseline's answer is missing, or if no answer of the model or none of the
  ///   baseline is right.
  public init?(_ results: [BenchmarkResult], score: Int = 0) {
    let means = results.compactMap { $0.mean(score) }
    let baselines = results.compactMap { $0.baselineMean(score) }
    guard !results.isEmpty, means.count == results.count, baselines.count == results.count else {
      return nil
    }
    let (sum, baselineSum) = (means.reduce(0, +), baselines.reduce(0, +))
    guard baselineSum > 0 else { return nil }
    share = sum / baselineSum
    guard sum > 0 else {
      interval = 0...0
      return
    }
    let ratio = share
    let variance = results.reduce(0) { total, result in
      total
        + max(1, Self.squares(result, score, ratio))
        / Double(result.documents.count * result.documents.count)
    }
    let half = 1.959964 * variance.squareRoot() / sum
    interval = share * exp(-half)...share * exp(half)
  }

  /// The sum of the squares by which the model's scores differ from a multiple of the baseline's.
  private static func squares(_ result: BenchmarkResult, _ score: Int, _ ratio: Double) -> Double {
    result.documents.reduce(0) { sum, document in
      let own = document.answer.scores[score]
      let residual = own - ratio * (document.baseline?.scores[score] ?? 0)
      return sum + residual * residual
    }
  }
}

extension BenchmarkResult {
  /// The probability of a difference between model and baseline that is at least as large, if both
  /// were equally good: McNemar's exact test, two-sided.
  ///
  /// Nil without a baseline.
  public func mcNemar(_ score: Int = 0) -> Double? {
    guard baselineMean(score) != nil else { return nil }
    let pairs = documents.map { ($0.answer.scores[score], $0.baseline?.scores[score] ?? 0) }
    let (gained, lost) = (pairs.count { $0.0 > $0.1 }, pairs.count { $0.0 < $0.1 })
    let (fewer, all) = (min(gained, lost), gained + lost)
    // The sum of the binomial probabilities of 0 to `fewer` among `all` throws of a fair coin.
    let logAll = lgamma(Double(all) + 1) - Double(all) * log(2)
    let tail = (0...fewer).reduce(0.0) { sum, count in
      sum + exp(logAll - lgamma(Double(count) + 1) - lgamma(Double(all - count) + 1))
    }
    return min(1, 2 * tail)
  }
}
