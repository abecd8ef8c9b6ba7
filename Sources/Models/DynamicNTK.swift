import Glibc

/// Dynamic NTK scaling: a RoPE base that grows with the length of the input beyond the window.
///
/// Source: `_compute_dynamic_ntk_parameters` of transformers.
public struct DynamicNTK: Hashable, Sendable {
  /// The factor of the scaling.
  public var factor: Double
  /// The window, in tokens, up to which the base is unchanged.
  public var window: Int
  /// The RoPE base.
  public var theta: Double
  /// d, the number of rotated dimensions of a head.
  public var rotaryDimensions: Int

  package init(factor: Double, window: Int, theta: Double, rotaryDimensions: Int) {
    self.factor = factor
    self.window = window
    self.theta = theta
    self.rotaryDimensions = rotaryDimensions
  }

  /// The RoPE base for an input of a length in tokens.
  public func theta(length: Int) -> Double {
    let growth = factor * Double(max(length, window)) / Double(window) - (factor - 1)
    return Self.theta(theta, growing: growth, rotaryDimensions: rotaryDimensions)
  }

  /// The base that NTK scaling by `growth` gives: theta times growth^(d / (d - 2)).
  package static func theta(
    _ theta: Double, growing growth: Double, rotaryDimensions: Int
  ) -> Double {
    theta * pow(growth, Double(rotaryDimensions) / Double(rotaryDimensions - 2))
  }
}
