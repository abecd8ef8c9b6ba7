import Glibc
public import Patch

/// The factors among which a search looks.
public struct SearchSpace: Codable, Equatable, Sendable {
  /// theta, rotary dimensions, and the window that is extended: L0, or that of a model that is extended already.
  public var settings: ClosedForm.Settings
  /// The limits of a factor (LongRoPE, table 4: 1 to 1.25 s; LongRoPE2: s to 2 s from the critical pair on).
  public var lower = 1.0
  public var upper: Double
  /// Factors are multiples of it (0.01 in both papers).
  public var step = 0.01
  /// Factors that the model has already, on top of which the candidates' come: all 1 for a plain model.
  public var base: [Double]
  /// The values of n-hat, in order; only 0 where it is not searched.
  public var startTokens = [0]
  public var searchesMscale = false
  public var searchesPairMscales = false
  /// The attention scale where it is not searched.
  public var mscale: Double

  /// LongRoPE, table 4.
  public static let paperStartTokens = [0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 64, 128, 256]

  public init(_ settings: ClosedForm.Settings, base: [Double]? = nil, mscale: Double) {
    self.settings = settings
    self.base = base ?? Array(repeating: 1, count: settings.pairs)
    self.mscale = mscale
    upper = max(1, settings.scale * 1.25)
  }

  public var pairs: Int { settings.pairs }
  public var scale: Double { settings.scale }
  /// Where the search for mscale may go: from none to twice as far from it as the policy's.
  var mscaleLimits: ClosedRange<Double> { 0.9...max(1.3, 1 + 2 * (mscale - 1)) }

  /// What the model is to be rotated with.
  public func factors(of candidate: Candidate) -> [Double] { zip(base, candidate.factors).map { $0 * $1 } }

  /// The nearest multiple of the step.
  func onGrid(_ value: Double) -> Double { (value / step).rounded() * step }

  /// Non-decreasing, within the limits.
  func contains(_ candidate: Candidate) -> Bool {
    candidate.isMonotone && candidate.factors.allSatisfy { (lower - 1e-9...upper + 1e-9).contains($0) }
  }

  /// Into the limits, in ascending order, on the grid.
  package func fitted(_ factors: [Double]) -> [Double] {
    Isotonic.nearest(to: factors.map { min(max($0, lower), upper) }).map { min(max(onGrid($0), lower), upper) }
  }
}

/// The non-decreasing list that is nearest to a list by the sum of squares (pool adjacent violators).
enum Isotonic {
  static func nearest(to values: [Double]) -> [Double] {
    var pools: [(sum: Double, count: Int)] = []
    for value in values {
      pools.append((value, 1))
      while pools.count > 1 {
        let (last, before) = (pools[pools.count - 1], pools[pools.count - 2])
        guard last.sum / Double(last.count) < before.sum / Double(before.count) else { break }
        pools.removeLast()
        pools[pools.count - 1] = (before.sum + last.sum, before.count + last.count)
      }
    }
    return pools.flatMap { Array(repeating: $0.sum / Double($0.count), count: $0.count) }
  }
}
