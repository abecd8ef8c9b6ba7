import Glibc
import Models

/// The parts of LongRoPE (arXiv 2402.13753) and LongRoPE2 (arXiv 2502.20082) that go beyond
/// rescaled frequencies: the attention scale, and the critical pairs.
///
/// `RotaryFrequencies` computes the frequencies.
public enum LongRoPE {
  /// LongRoPE's attention scale: sqrt(1 + ln s / ln L0), or 1 if the window is not extended.
  /// - Parameters:
  ///   - scale: s, the extended window divided by the original one.
  ///   - originalWindow: L0, in tokens.
  public static func longRoPEMscale(scale: Double, originalWindow: Int) -> Double {
    guard scale > 1, originalWindow > 1 else { return 1 }
    return (1 + log(scale) / log(Double(originalWindow))).squareRoot()
  }

  /// YaRN's attention scale: 0.1 ln s + 1, or 1 if the window is not extended.
  public static func yarnMscale(scale: Double) -> Double {
    YaRN.mscale(scale: scale)
  }

  /// The theoretical critical dimension d_tcd as the index of a pair: the first pair that does not
  /// complete a turn within the original window.
  ///
  /// Source: LongRoPE2, equations 6 and 7. The paper counts dimensions, two per pair.
  public static func theoreticalCriticalPair(
    theta: Double, rotaryDimensions: Int, originalWindow: Int
  ) -> Int {
    criticalPair(theta, rotaryDimensions, window: Double(originalWindow))
  }

  /// The first pair with fewer than ten turns within the original window, where LongRoPE2's search
  /// for the real critical dimension begins (Algorithm 1).
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
