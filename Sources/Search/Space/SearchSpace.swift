import Glibc
public import Patch

/// The space of factors that a search explores.
public struct SearchSpace: Codable, Equatable, Sendable {
  /// theta, rotary dimensions, and the window that is extended: L0, or the window of a model that
  /// is already extended.
  public var settings: ClosedForm.Settings
  /// The least factor.
  ///
  /// The papers search from 1 to 1.25 s (LongRoPE, table 4), and from s to 2 s from the critical
  /// pair on (LongRoPE2).
  public var lower = 1.0
  /// The greatest factor.
  public var upper: Double
  /// The grid of the factors (0.01 in both papers).
  public var step = 0.01
  /// The factors that the model already has, which the candidates' multiply: all 1 for a plain
  /// model.
  public var base: [Double]
  /// The values of n-hat, in order; only 0 if it is not searched.
  public var startTokens = [0]
  /// Whether the attention scale is searched.
  public var searchesMscale = false
  /// Whether an attention scale for each pair is searched.
  public var searchesPairMscales = false
  /// The attention scale, if it is not searched.
  public var mscale: Double

  /// The values of n-hat in LongRoPE, table 4.
  public static let paperStartTokens = [0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 64, 128, 256]

  /// Creates LongRoPE's space: factors from 1 to 1.25 s.
  public init(_ settings: ClosedForm.Settings, base: [Double]? = nil, mscale: Double) {
    self.settings = settings
    self.base = base ?? Array(repeating: 1, count: settings.pairs)
    self.mscale = mscale
    upper = max(1, settings.scale * 1.25)
  }

  /// The number of rotary pairs.
  public var pairs: Int { settings.pairs }
  /// The extended window in tokens.
  public var window: Int { settings.window }
  /// s: the extended window divided by the window that is extended.
  public var scale: Double { settings.scale }
  /// The limits of a searched mscale: 0.9 to 1.3, or to twice as far above 1 as `mscale`.
  var mscaleLimits: ClosedRange<Double> { 0.9...max(1.3, 1 + 2 * (mscale - 1)) }

  /// The factors with which the model is rotated: the model's own times the candidate's.
  public func factors(of candidate: Candidate) -> [Double] {
    zip(base, candidate.factors).map { $0 * $1 }
  }

  /// The nearest multiple of the step.
  func onGrid(_ value: Double) -> Double { (value / step).rounded() * step }

  /// Whether the factors do not decrease and lie within the limits.
  func contains(_ candidate: Candidate) -> Bool {
    candidate.isMonotone
      && candidate.factors.allSatisfy { (lower - 1e-9...upper + 1e-9).contains($0) }
  }

  /// The factors moved into the limits, to the nearest non-decreasing list, and onto the grid.
  package func fitted(_ factors: [Double]) -> [Double] {
    Isotonic.nearest(to: factors.map { min(max($0, lower), upper) }).map {
      min(max(onGrid($0), lower), upper)
    }
  }
}
