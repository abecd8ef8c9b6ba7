import Glibc
public import Inference

/// The losses of several sets of factors on the same units, and whether their differences are
/// significant.
public struct Comparison: Sendable {
  /// A mean loss in nats per token, with half the width of its 95 % interval.
  public struct Estimate: Equatable, Sendable {
    /// The mean, in nats per token.
    public var mean: Double
    /// Half the width of the 95 % interval; infinite for a single unit.
    public var halfWidth: Double

    /// The estimate from the losses of independent units.
    init(_ values: [Double]) {
      let count = Double(values.count)
      let mean = values.reduce(0, +) / count
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
      self.mean = mean
      halfWidth =
        values.count < 2
        ? .infinity
        : StudentT.quantile(confidence: 0.95, degrees: count - 1) * (variance / count).squareRoot()
    }

    /// The perplexity that corresponds to the mean.
    public var perplexity: Double { exp(mean) }
  }

  /// How a set compares with another.
  public enum Verdict: String, Sendable {
    case better, worse, tie
  }

  /// The losses by set and unit, in nats per token.
  public let losses: [[Double]]
  /// What a user should know about the texts.
  public internal(set) var remarks: [String] = []

  /// Evaluates every set on every unit.
  /// - Parameters:
  ///   - policies: how the model is rotated, one for each set.
  ///   - evaluator: the units and the model.
  ///   - jobs: the number of pieces that are evaluated at the same time.
  /// - Throws: whatever the checkpoint of the forward pass throws.
  public init(_ policies: [RopePolicy], _ evaluator: Evaluator, jobs: Int) throws {
    let pieces = policies.indices.flatMap { policy in
      evaluator.units.pieces(of: 0..<evaluator.units.count).map { (policy: policy, units: $0) }
    }
    let found = try ConcurrentMap.run(pieces.count, jobs: jobs) { index in
      try evaluator.losses([policies[pieces[index].policy]], units: pieces[index].units)[0]
    }
    var losses = policies.map { _ in [Double]() }
    for (piece, part) in zip(pieces, found) { losses[piece.policy] += part }
    self.losses = losses
  }

  /// The mean loss of a set.
  public func estimate(_ set: Int) -> Estimate { Estimate(losses[set]) }

  /// The paired difference: the loss of one set less that of another.
  public func difference(_ set: Int, to other: Int) -> Estimate {
    Estimate(zip(losses[set], losses[other]).map { $0 - $1 })
  }

  /// A difference inside its own interval is a tie.
  public func verdict(_ set: Int, against other: Int) -> Verdict {
    let difference = difference(set, to: other)
    if abs(difference.mean) <= difference.halfWidth { return .tie }
    return difference.mean < 0 ? .better : .worse
  }
}
