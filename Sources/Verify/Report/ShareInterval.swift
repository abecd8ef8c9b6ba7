import Glibc

/// A share of trials that succeeded, with its 95 % interval by Wilson's formula.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// 1927. Unlike the normal approximation it holds for few trials and for shares of 0 and 1.
public struct ShareInterval: Equatable, Sendable {
  /// The number of successes.
  public let successes: Int
  /// The number of trials.
  public let trials: Int

  /// The share of 0 trials is 0.
  public init(successes: Int, trials: Int) {
    self.successes = successes
    self.trials = trials
  }

  /// The share, from 0 to 1.
  public var share: Double { Double(successes) / Double(max(1, trials)) }

  /// The ends of the interval, from 0 to 1.
  public var interval: ClosedRange<Double> {
    guard trials > 0 else { return 0...1 }
    let (z, n) = (1.959964, Double(trials))
    let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half =
      z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, centre - half)...min(1, centre + half)
  }
}
