import Glibc

/// YaRN's scaling: pairs that turn often keep their frequency, pairs that do not complete a turn
/// within the original window are slowed down by the factor, and a ramp leads from one to the other.
///
/// Source: arXiv 2309.00071, as transformers, vLLM, SGLang, MLX-LM and llama.cpp compute it.
package struct YaRN: Equatable, Sendable {
  /// s, the divisor of the slowest frequencies.
  package var factor: Double
  /// The window before the extension, in tokens.
  package var originalWindow: Int
  /// The ends of the ramp.
  package var turns = Self.publishedTurns
  /// Whether the ramp begins and ends at whole pairs.
  package var truncates = true
  /// How much of the ramp's upper part keeps its frequency: 1 for all of it.
  package var extrapolation = 1.0

  /// The ends of the ramp in the paper, and the default of every runtime.
  package static let publishedTurns = YarnTurns(fast: 32, slow: 1)

  package init(factor: Double, originalWindow: Int) {
    self.factor = factor
    self.originalWindow = originalWindow
  }

  /// YaRN's attention scale: 0.1 c ln s + 1, or 1 if the window is not extended.
  /// - Parameter coefficient: c, which a config calls `mscale`.
  package static func mscale(scale: Double, coefficient: Double = 1) -> Double {
    scale > 1 ? 0.1 * coefficient * log(scale) + 1 : 1
  }

  /// The pairs at which the ramp begins and ends.
  package func rampBounds(
    theta: Double, rotaryDimensions: Int
  ) -> (low: Double, high: Double) {
    func pair(turning turns: Double) -> Double {
      Double(rotaryDimensions) * log(Double(originalWindow) / (turns * 2 * .pi)) / (2 * log(theta))
    }
    var (low, high) = (pair(turning: turns.fast), pair(turning: turns.slow))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    return (max(low, 0), min(high, Double(rotaryDimensions - 1)))
  }

  /// How far each pair is on the ramp, from 0 (its own frequency) to 1 (interpolated).
  package static func ramp(low: Double, high: Double, pairs: Int) -> [Double] {
    let high = low == high ? high + 0.001 : high
    return (0..<pairs).map { min(max((Double($0) - low) / (high - low), 0), 1) }
  }

  /// Radians per position for each pair: (pairs).
  package func inverse(theta: Double, rotaryDimensions: Int) -> [Double] {
    let (low, high) = rampBounds(theta: theta, rotaryDimensions: rotaryDimensions)
    let ramp = Self.ramp(low: low, high: high, pairs: rotaryDimensions / 2)
    return zip(
      RotaryFrequencies.inverse(theta: theta, rotaryDimensions: rotaryDimensions), ramp
    ).map { frequency, interpolated in
      let kept = (1 - interpolated) * extrapolation
      return frequency / factor * (1 - kept) + frequency * kept
    }
  }

  /// The frequencies as transformers computes them, with every step in 32-bit floats: (pairs).
  package func singlePrecision(theta: Double, rotaryDimensions: Int) -> [Float] {
    var (low, high) = rampBounds(theta: theta, rotaryDimensions: rotaryDimensions)
    if low == high { high += 0.001 }
    return (0..<rotaryDimensions / 2).map { pair in
      let power = powf(Float(theta), Float(2 * pair) / Float(rotaryDimensions))
      let interpolated = min(max((Float(pair) - Float(low)) / Float(high - low), 0), 1)
      let kept = (1 - interpolated) * Float(extrapolation)
      return 1 / (Float(factor) * power) * (1 - kept) + 1 / power * kept
    }
  }
}
