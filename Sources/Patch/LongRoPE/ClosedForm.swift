import Glibc
public import Models

/// Rescale factors that are computed by a formula instead of a search.
///
/// Notation: s is the extended window divided by the original one, h the number of pairs, i the
/// index of a pair, and c the index of the critical pair.
public enum ClosedForm: String, CaseIterable, Sendable {
  /// s for every pair. Source: position interpolation (arXiv 2306.15595).
  case pi
  /// s^(i / (h - 1)), which rises from 1 to s.
  case ntk
  /// A larger base, with which the theoretical critical pair turns once within the extended window:
  /// the factor is s at that pair and greater beyond it. Source: arXiv 2310.05209, in the form of
  /// LongRoPE2, section 2.3.
  case ntkTheta = "ntk-theta"
  /// 1 for pairs that turn often within the original window, s for pairs that do not complete a
  /// turn, and a ramp between. Source: arXiv 2309.00071, as transformers computes it.
  case yarn
  /// The same as `yarn`, with the end of the ramp at the real critical pair. Source: LongRoPE2,
  /// section 4.3.
  case yarnRCD = "yarn-rcd"
  /// s^(i / c): the base that gives the real critical pair the factor s.
  case ntkRCD = "ntk-rcd"
  /// lambda^(i / c) below the critical pair, and lambda from there on. Source: LongRoPE2,
  /// Algorithm 1.
  case ntkLeft = "ntk-left"
  /// s^(q (q + 1) / (N (N + 1))) with q = i - low between the ends of YaRN's ramp, which are N pairs
  /// apart. Source: MrRoPE-Pro (arXiv 2601.22181).
  case mrrope
  /// A larger base, theta': (theta' / theta)^(i / h). Source: arXiv 2309.16039.
  case abf

  /// The inputs of the formulas.
  public struct Settings: Codable, Equatable, Sendable {
    /// The RoPE base.
    public var theta: Double
    /// The number of rotated dimensions of a head.
    public var rotaryDimensions: Int
    /// The window before the extension, in tokens.
    public var originalWindow: Int
    /// The extended window, in tokens.
    public var window: Int
    /// YaRN keeps a pair with at least this many turns within the original window unchanged.
    public var fastTurns = YaRN.publishedTurns.fast
    /// YaRN fully interpolates a pair with at most this many turns within the original window.
    public var slowTurns = YaRN.publishedTurns.slow
    /// c, for the forms that use it; nil for the theoretical critical pair.
    public var criticalPair: Int?
    /// The factor of the pairs from c on in `ntkLeft`; nil for s.
    public var lambda: Double?
    /// theta' of `abf`; nil for theta.
    public var newTheta: Double?

    /// Settings with the defaults of YaRN's paper.
    public init(theta: Double, rotaryDimensions: Int, originalWindow: Int, window: Int) {
      self.theta = theta
      self.rotaryDimensions = rotaryDimensions
      self.originalWindow = originalWindow
      self.window = window
    }

    /// h, the number of pairs.
    public var pairs: Int { rotaryDimensions / 2 }
    /// s, the ratio of the windows.
    public var scale: Double { Double(window) / Double(originalWindow) }
    /// The first pair that does not complete a turn within the original window.
    public var theoreticalCriticalPair: Int {
      LongRoPE.theoreticalCriticalPair(
        theta: theta, rotaryDimensions: rotaryDimensions, originalWindow: originalWindow)
    }
    /// The first pair with fewer than ten turns within the original window.
    public var tenPeriodsPair: Int {
      LongRoPE.tenPeriodsPair(
        theta: theta, rotaryDimensions: rotaryDimensions, originalWindow: originalWindow)
    }
    /// The pairs that LongRoPE2 tries as the real critical pair (Algorithm 1).
    public var candidateCriticalPairs: ClosedRange<Int> {
      let last = max(1, min(pairs - 1, theoreticalCriticalPair))
      return max(1, min(tenPeriodsPair, last))...last
    }

    /// Sets the ends of YaRN's ramp, which depend on the model's family.
    ///
    /// The published LongRoPE search uses 128 and 2 turns for Mistral, and 32 and 1 for all others,
    /// as YaRN's paper does for Llama.
    public mutating func setTurns(_ turns: YarnTurns) {
      (fastTurns, slowTurns) = (turns.fast, turns.slow)
    }
  }

  /// Whether the form uses `Settings.criticalPair`.
  public var takesCriticalPair: Bool { [.yarnRCD, .ntkRCD, .ntkLeft].contains(self) }
  /// Whether the form uses `Settings.lambda`.
  public var takesLambda: Bool { self == .ntkLeft }
  /// Whether the form uses `Settings.newTheta`.
  public var takesTheta: Bool { self == .abf }

  /// One factor per pair.
  public func factors(_ settings: Settings) -> [Double] {
    let (pairs, scale) = (settings.pairs, settings.scale)
    let critical = max(1, min(pairs, settings.criticalPair ?? settings.theoreticalCriticalPair))
    switch self {
    case .pi: return Array(repeating: scale, count: pairs)
    case .ntk: return (0..<pairs).map { pow(scale, Double($0) / Double(max(1, pairs - 1))) }
    case .ntkTheta:
      let (old, new) = (
        Double(settings.originalWindow) / (2 * .pi), Double(settings.window) / (2 * .pi)
      )
      guard old > 1, settings.theta > 1 else { return Self.pi.factors(settings) }
      // theta' / theta, with theta' = theta^(log_old new)
      let growth = pow(settings.theta, log(new) / log(old) - 1)
      return (0..<pairs).map { pow(growth, Double($0) / Double(pairs)) }
    case .yarn: return Self.ramp(settings, end: nil)
    case .yarnRCD: return Self.ramp(settings, end: critical)
    case .ntkRCD: return (0..<pairs).map { pow(scale, Double($0) / Double(critical)) }
    case .ntkLeft:
      return Self.ntkLeft(pairs: pairs, criticalPair: critical, lambda: settings.lambda ?? scale)
    case .mrrope:
      let (low, high) = Self.rampBounds(settings)
      let width = max(1, high - low)
      return (0..<pairs).map { pair in
        let steps = min(max(Double(pair) - low, 0), width)
        return pow(scale, steps * (steps + 1) / (width * (width + 1)))
      }
    case .abf:
      let growth = (settings.newTheta ?? settings.theta) / settings.theta
      return (0..<pairs).map { pow(growth, Double($0) / Double(pairs)) }
    }
  }

  /// lambda^(i / c) for i < c, lambda from c on.
  public static func ntkLeft(pairs: Int, criticalPair: Int, lambda: Double) -> [Double] {
    (0..<pairs).map { $0 < criticalPair ? pow(lambda, Double($0) / Double(criticalPair)) : lambda }
  }

  /// The pairs at which YaRN's ramp begins and ends.
  public static func rampBounds(_ settings: Settings) -> (low: Double, high: Double) {
    var yarn = YaRN(factor: settings.scale, originalWindow: settings.originalWindow)
    yarn.turns = YarnTurns(fast: settings.fastTurns, slow: settings.slowTurns)
    return yarn.rampBounds(theta: settings.theta, rotaryDimensions: settings.rotaryDimensions)
  }

  /// YaRN's ramp, which is linear in the frequencies, not in the factors.
  private static func ramp(_ settings: Settings, end: Int?) -> [Double] {
    var (low, high) = rampBounds(settings)
    if let end { (low, high) = (min(low, Double(end) - 1), Double(end)) }
    return YaRN.ramp(low: low, high: high, pairs: settings.pairs).map { interpolated in
      1 / (interpolated / settings.scale + 1 - interpolated)
    }
  }
}
