/// What a model says of its rotary embedding, from either format.
public struct RopeGeometry: Equatable, Sendable {
  /// `model_type` or `general.architecture`.
  public var architecture: String
  public var layers: Int?
  /// d: how many of a head's dimensions are rotated.
  public var rotaryDimensions: Int
  public var theta: Double
  /// The window that the model declares now.
  public var window: Int
  /// Windows that can be meant as the one before any extension, the likeliest first.
  public var originalWindows: [Int]
  /// False where the model carries LongRoPE factors but does not say the window that they extend.
  public var isOriginalWindowKnown = true
  /// The scaling that is there: `default`, `linear`, `llama3`, `longrope`, ...
  public var scalingType: String

  public var originalWindow: Int { originalWindows.first ?? window }
}

/// The scaling of Llama 3.1 as per-pair factors: what converters store as `rope_freqs.weight`.
package enum Llama3Scaling {
  /// - Returns: one divisor a pair, for the formula of transformers' `_compute_llama3_parameters`.
  package static func factors(
    theta: Double, rotaryDimensions: Int, factor: Double, originalWindow: Int,
    lowFrequencyFactor: Double = 1, highFrequencyFactor: Double = 4
  ) -> [Double] {
    let window = Double(originalWindow)
    return LongRoPE.inverseFrequencies(theta: theta, rotaryDimensions: rotaryDimensions).map {
      let period = LongRoPE.period(inverseFrequency: $0)
      if period < window / highFrequencyFactor { return 1 }
      if period > window / lowFrequencyFactor { return factor }
      let smooth =
        (window / period - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
