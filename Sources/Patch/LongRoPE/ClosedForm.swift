import Glibc

/// Rescale factors that need no search. `s` is the extended window over the original one, `h` the number of pairs.
public enum ClosedForm: String, CaseIterable, Sendable {
  /// s for every pair (position interpolation, arXiv 2306.15595).
  case pi
  /// s^(i / (h - 1)): from 1 to s.
  case ntk
  /// The base of which the theoretical critical pair turns once more within the window that it did: s at that pair, more
  /// beyond it (arXiv 2310.05209, as LongRoPE2, section 2.3, has it).
  case ntkTheta = "ntk-theta"
  /// 1 for pairs that turn often, s for those that do not turn once, a ramp between (arXiv 2309.00071), as transformers
  /// computes it.
  case yarn
  /// The same with the ramp's end at the real critical pair (LongRoPE2, section 4.3).
  case yarnRCD = "yarn-rcd"
  /// The base that gives the real critical pair s: s^(i / c).
  case ntkRCD = "ntk-rcd"
  /// lambda^(i / c) below the critical pair c, lambda from there on (LongRoPE2, Algorithm 1).
  case ntkLeft = "ntk-left"

  public struct Settings: Codable, Equatable, Sendable {
    public var theta: Double
    public var rotaryDimensions: Int
    public var originalWindow: Int
    public var window: Int
    /// Turns within the original window from which on YaRN leaves a pair alone, and below which it interpolates it fully.
    public var fastTurns = 32.0
    public var slowTurns = 1.0
    /// c, a pair's index, for the forms that have one; the theoretical one where nil.
    public var criticalPair: Int?
    /// ntk-left's factor of the pairs from c on; s where nil.
    public var lambda: Double?

    public init(theta: Double, rotaryDimensions: Int, originalWindow: Int, window: Int) {
      self.theta = theta
      self.rotaryDimensions = rotaryDimensions
      self.originalWindow = originalWindow
      self.window = window
    }

    public var pairs: Int { rotaryDimensions / 2 }
    public var scale: Double { Double(window) / Double(originalWindow) }
    public var theoreticalCriticalPair: Int {
      LongRoPE.theoreticalCriticalPair(
        theta: theta, rotaryDimensions: rotaryDimensions, originalWindow: originalWindow)
    }
    /// d10 as a pair.
    public var tenPeriodsPair: Int {
      LongRoPE.tenPeriodsPair(theta: theta, rotaryDimensions: rotaryDimensions, originalWindow: originalWindow)
    }
    /// Pairs that LongRoPE2 takes for the real critical one in turn (Algorithm 1).
    public var candidateCriticalPairs: ClosedRange<Int> {
      let last = max(1, min(pairs - 1, theoreticalCriticalPair))
      return max(1, min(tenPeriodsPair, last))...last
    }

    /// The base with which this is done where it differs by family: the published LongRoPE search takes 128 and 2 turns
    /// for Mistral, 32 and 1 for all others, as YaRN's paper does for Llama.
    public mutating func setTurns(family: String) {
      (fastTurns, slowTurns) = family == "mistral" ? (128, 2) : (32, 1)
    }
  }

  public var takesCriticalPair: Bool { [.yarnRCD, .ntkRCD, .ntkLeft].contains(self) }
  public var takesLambda: Bool { self == .ntkLeft }

  /// - Returns: one factor a pair.
  public func factors(_ settings: Settings) -> [Double] {
    let (pairs, scale) = (settings.pairs, settings.scale)
    let critical = max(1, min(pairs, settings.criticalPair ?? settings.theoreticalCriticalPair))
    switch self {
    case .pi: return Array(repeating: scale, count: pairs)
    case .ntk: return (0..<pairs).map { pow(scale, Double($0) / Double(max(1, pairs - 1))) }
    case .ntkTheta:
      let (old, new) = (Double(settings.originalWindow) / (2 * .pi), Double(settings.window) / (2 * .pi))
      guard old > 1, settings.theta > 1 else { return Self.pi.factors(settings) }
      // theta' / theta, with theta' = theta^(log_old new)
      let growth = pow(settings.theta, log(new) / log(old) - 1)
      return (0..<pairs).map { pow(growth, Double($0) / Double(pairs)) }
    case .yarn: return Self.ramp(settings, end: nil)
    case .yarnRCD: return Self.ramp(settings, end: critical)
    case .ntkRCD: return (0..<pairs).map { pow(scale, Double($0) / Double(critical)) }
    case .ntkLeft: return Self.ntkLeft(pairs: pairs, criticalPair: critical, lambda: settings.lambda ?? scale)
    }
  }

  /// lambda^(i / c) for i < c, lambda from c on.
  public static func ntkLeft(pairs: Int, criticalPair: Int, lambda: Double) -> [Double] {
    (0..<pairs).map { $0 < criticalPair ? pow(lambda, Double($0) / Double(criticalPair)) : lambda }
  }

  /// The pair, as a fraction, that makes so many turns within the original window.
  private static func pair(turning turns: Double, _ settings: Settings) -> Double {
    Double(settings.rotaryDimensions) * log(Double(settings.originalWindow) / (turns * 2 * .pi))
      / (2 * log(settings.theta))
  }

  /// Where YaRN's ramp begins and ends.
  public static func rampBounds(_ settings: Settings) -> (low: Double, high: Double) {
    let low = pair(turning: settings.fastTurns, settings).rounded(.down)
    let high = pair(turning: settings.slowTurns, settings).rounded(.up)
    return (max(low, 0), min(high, Double(settings.rotaryDimensions - 1)))
  }

  /// Frequencies, not factors, are mixed.
  private static func ramp(_ settings: Settings, end: Int?) -> [Double] {
    var (low, high) = rampBounds(settings)
    if let end { (low, high) = (min(low, Double(end) - 1), Double(end)) }
    if low == high { high += 0.001 }
    return (0..<settings.pairs).map { pair in
      let interpolated = min(max((Double(pair) - low) / (high - low), 0), 1)
      return 1 / (interpolated / settings.scale + 1 - interpolated)
    }
  }
}
