/// What one runtime makes of a model: the tables and attention scales that it would really use.
public struct RuntimeReading: Equatable, Sendable {
  public enum Status: String, Sendable {
    /// The factors are used as the model says them.
    case ok
    /// They are used, but with other numbers.
    case divergent
    /// The model loads, but runs without the factors.
    case ignored
    /// The model does not load.
    case fails
    /// The runtime does not read such a model, or not with factors.
    case unsupported
    /// The model carries no factors.
    case plain
  }

  /// `paper`, or a `Runtime`'s name.
  public var name: String
  public var title: String
  public var status = Status.plain
  public var notes: [String] = []
  /// For an input within the original window, when the long window is being served.
  public var short: UsedTable?
  /// For an input beyond it.
  public var long: UsedTable?
  /// When it changes from the one to the other.
  public var switching = ""
  /// What to pass to serve the long window.
  public var serving = ""
  /// The same rule as `switching`, to follow it.
  public var rule = SwitchRule.fixed

  /// Whether keys cached before the crossing stay as the short table rotated them.
  var keepsCacheAcrossSwitch: Bool { if case .kept = rule { true } else { false } }
}

/// When a runtime goes from the short table to the long one.
public enum SwitchRule: Equatable, Sendable {
  /// Never while it runs: every input has the table that `long` names.
  case fixed
  /// Once more than so many tokens are there; all keys are rotated anew.
  case recomputed(beyond: Int)
  /// Likewise, but keys that are cached stay as they are: a prompt is rotated by its own length, each further token by
  /// its own place.
  case kept(beyond: Int)
}

/// One table in use: its name, its attention scale, and the frequencies that come of it.
public struct UsedTable: Equatable, Sendable {
  /// `long`, `short`, `none`, or another scaling's type.
  public var name: String
  public var mscale: Double
  /// Radians a position, a pair, without mscale; nil for scalings that this program does not compute.
  public var inverseFrequencies: [Double]?
  /// The same as they come out of 32-bit arithmetic; nil where only the numbers above are known.
  public var singlePrecision: [Float]?

  public init(name: String, mscale: Double, inverseFrequencies: [Double]?, singlePrecision: [Float]? = nil) {
    self.name = name
    self.mscale = mscale
    self.inverseFrequencies = inverseFrequencies
    self.singlePrecision = singlePrecision
  }

  /// - Parameters:
  ///   - factors: one a pair, or nil for none.
  ///   - stretch: what all frequencies are divided by.
  init(
    name: String, factors: [Double]?, mscale: Double, theta: Double, rotaryDimensions: Int, stretch: Double = 1
  ) {
    self.init(
      name: name, mscale: mscale,
      inverseFrequencies: LongRoPE.inverseFrequencies(
        theta: theta, rotaryDimensions: rotaryDimensions, factors: factors
      ).map { $0 / stretch },
      singlePrecision: LongRoPE.singlePrecisionInverseFrequencies(
        theta: theta, rotaryDimensions: rotaryDimensions, factors: factors
      ).map { stretch == 1 ? $0 : $0 / Float(stretch) })
  }

  /// True where both give the same angles and scale, to the precision of 32-bit floats.
  func matches(_ other: UsedTable) -> Bool {
    guard abs(mscale - other.mscale) <= 1e-6 * other.mscale else { return false }
    guard let left = inverseFrequencies, let right = other.inverseFrequencies,
      left.count == right.count
    else { return false }
    return zip(left, right).allSatisfy { abs($0 - $1) <= 1e-6 * $1 }
  }
}

extension RuntimeReading {
  init(_ runtime: Runtime) {
    self.init(name: runtime.rawValue, title: runtime.title)
  }

  static func failure(_ runtime: Runtime, _ reason: String) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    reading.status = .fails
    reading.notes = [reason]
    return reading
  }

  static func unsupported(_ runtime: Runtime, _ reason: String) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    reading.status = .unsupported
    reading.notes = [reason]
    return reading
  }

  /// Leaves out what no input within the window can reach.
  mutating func confine(to window: Int) {
    switch rule {
    case .recomputed(let limit) where limit >= window, .kept(let limit) where limit >= window: long = short
    default: break
    }
  }

  /// Judges the reading by what the model's factors ask for.
  /// - Parameter intended: the paper's reading, whose tables are named `long` and `short` where there are factors.
  mutating func judge(against intended: RuntimeReading) {
    guard status == .plain, intended.status == .ok, let long, let short,
      let wantedLong = intended.long, let wantedShort = intended.short
    else { return }
    let fits = { (used: UsedTable) in used.matches(wantedLong) || used.matches(wantedShort) }
    if long.matches(wantedLong), fits(short) {
      status = .ok
    } else if long.name != "long", short.name != "long" {
      status = .ignored
    } else {
      status = .divergent
    }
  }
}
