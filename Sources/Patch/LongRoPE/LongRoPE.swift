import Glibc

/// The mathematics of rotary frequencies and their rescaling, as pure functions.
///
/// Notation: d rotary dimensions make d/2 pairs; pair i turns by `position / (factor_i * theta^(2i/d))` radians. The
/// papers are LongRoPE (arXiv 2402.13753) and LongRoPE2 (arXiv 2502.20082).
public enum LongRoPE {
  /// Radians a position for each pair.
  /// - Parameter factors: one rescale factor a pair; nil for none.
  /// - Returns: `rotaryDimensions / 2` numbers.
  public static func inverseFrequencies(
    theta: Double, rotaryDimensions: Int, factors: [Double]? = nil
  ) -> [Double] {
    let pairs = rotaryDimensions / 2
    precondition(factors == nil || factors?.count == pairs)
    return (0..<pairs).map { pair in
      1 / ((factors?[pair] ?? 1) * pow(theta, 2 * Double(pair) / Double(rotaryDimensions)))
    }
  }

  /// The same as the runtimes compute them: every step in 32-bit floats, as transformers does it. Far along a sequence
  /// the rounding shows.
  public static func singlePrecisionInverseFrequencies(
    theta: Double, rotaryDimensions: Int, factors: [Double]? = nil
  ) -> [Float] {
    (0..<rotaryDimensions / 2).map { pair in
      let power = powf(Float(theta), Float(2 * pair) / Float(rotaryDimensions))
      return 1 / (factors.map { Float($0[pair]) * power } ?? power)
    }
  }

  /// LongRoPE's attention scale: sqrt(1 + ln s / ln L0), and 1 where the window is not extended.
  /// - Parameters:
  ///   - scale: s, the extended window over the original one.
  ///   - originalWindow: L0, in tokens.
  public static func suMscale(scale: Double, originalWindow: Int) -> Double {
    guard scale > 1, originalWindow > 1 else { return 1 }
    return (1 + log(scale) / log(Double(originalWindow))).squareRoot()
  }

  /// YaRN's attention scale: 0.1 ln s + 1, and 1 where the window is not extended.
  public static func yarnMscale(scale: Double) -> Double {
    scale > 1 ? 0.1 * log(scale) + 1 : 1
  }

  /// Tokens in one full turn of a pair whose inverse frequency is given.
  public static func period(inverseFrequency: Double) -> Double { 2 * .pi / inverseFrequency }

  /// The theoretical critical dimension d_tcd as a pair index: the first pair that does not turn fully within the
  /// original window (LongRoPE2, equations 6 and 7; the paper counts dimensions, two a pair).
  public static func theoreticalCriticalPair(
    theta: Double, rotaryDimensions: Int, originalWindow: Int
  ) -> Int {
    criticalPair(theta, rotaryDimensions, window: Double(originalWindow))
  }

  /// The first pair with fewer than ten turns within the original window: where LongRoPE2's search for the real
  /// critical dimension begins (Algorithm 1).
  public static func tenPeriodsPair(
    theta: Double, rotaryDimensions: Int, originalWindow: Int
  ) -> Int {
    criticalPair(theta, rotaryDimensions, window: Double(originalWindow) / 10)
  }

  private static func criticalPair(_ theta: Double, _ dimensions: Int, window: Double) -> Int {
    let pairs = dimensions / 2
    guard theta > 1, window > 2 * .pi else { return 0 }
    let pair = (Double(pairs) * log(window / (2 * .pi)) / log(theta)).rounded(.up)
    return min(pairs, max(0, Int(pair)))
  }
}
