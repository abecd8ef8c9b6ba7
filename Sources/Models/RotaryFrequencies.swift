import Glibc

/// The frequencies of rotary position embeddings (RoPE), with and without rescale factors.
///
/// Notation: d rotary dimensions form d/2 pairs. Pair i turns by
/// `position / (factor_i * theta^(2i/d))` radians.
public enum RotaryFrequencies {
  /// Radians per position for each pair, in double precision.
  /// - Parameter factors: one rescale factor per pair, or nil for none.
  /// - Returns: `rotaryDimensions / 2` numbers.
  public static func inverse(
    theta: Double, rotaryDimensions: Int, factors: [Double]? = nil
  ) -> [Double] {
    let pairs = rotaryDimensions / 2
    precondition(factors == nil || factors?.count == pairs)
    return (0..<pairs).map { pair in
      1 / ((factors?[pair] ?? 1) * pow(theta, 2 * Double(pair) / Double(rotaryDimensions)))
    }
  }

  /// The frequencies as transformers computes them, with every step in 32-bit floats.
  ///
  /// At large positions the rounding matters.
  public static func singlePrecision(
    theta: Double, rotaryDimensions: Int, factors: [Double]? = nil
  ) -> [Float] {
    (0..<rotaryDimensions / 2).map { pair in
      let power = powf(Float(theta), Float(2 * pair) / Float(rotaryDimensions))
      return 1 / (factors.map { Float($0[pair]) * power } ?? power)
    }
  }

  /// The number of tokens in one full turn of a pair.
  public static func period(inverseFrequency: Double) -> Double { 2 * .pi / inverseFrequency }
}

/// The scaling of Llama 3.1 as one factor per pair.
///
/// Converters store the factors as `rope_freqs.weight`.
package enum Llama3Scaling {
  /// The default frequency factors of transformers and of llama.cpp's converter.
  package static let defaultLowFrequencyFactor = 1.0
  package static let defaultHighFrequencyFactor = 4.0

  /// One divisor of the frequency per pair.
  ///
  /// Source: `_compute_llama3_parameters` of transformers.
  package static func factors(
    theta: Double, rotaryDimensions: Int, factor: Double, originalWindow: Int,
    lowFrequencyFactor: Double = defaultLowFrequencyFactor,
    highFrequencyFactor: Double = defaultHighFrequencyFactor
  ) -> [Double] {
    let window = Double(originalWindow)
    return RotaryFrequencies.inverse(theta: theta, rotaryDimensions: rotaryDimensions).map {
      let period = RotaryFrequencies.period(inverseFrequency: $0)
      if period < window / highFrequencyFactor { return 1 }
      if period > window / lowFrequencyFactor { return factor }
      let smooth =
        (window / period - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
