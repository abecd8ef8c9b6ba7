public import Models

/// What one runtime makes of a model: the tables and attention scales that it really uses.
public struct RuntimeReading: Equatable, Sendable {
  /// How well the runtime uses the factors.
  public enum Status: String, Sendable {
    /// It uses the factors as the model states them.
    case ok
    /// It uses the factors, but with different frequencies or another attention scale.
    case divergent
    /// It loads the model, but runs it without the factors.
    case ignored
    /// It does not load the model.
    case fails
    /// It does not support the model, or not with factors.
    case unsupported
    /// The model has no factors.
    case plain
  }

  /// `paper`, or the name of a `Runtime`.
  public var name: String
  /// The name in messages and reports.
  public var title: String
  /// How well the runtime uses the factors.
  public var status = Status.plain
  /// Whether the status follows from the architecture alone, so that no file can change it.
  public var isInherent = false
  /// What keeps `verify` from running the model as this runtime does; nil if nothing does.
  public var uncomputed: String?
  /// Explanations of the status, or the error of the runtime.
  public var notes: [String] = []
  /// The table for inputs within the original window while the long window is served.
  public var short: UsedTable?
  /// The table for inputs beyond the original window.
  public var long: UsedTable?
  /// When the runtime switches tables, in words; empty for a model without factors.
  public var switching = ""
  /// The command or option that serves the long window.
  public var serving = ""
  /// How the runtime divides a long prompt; nil for the papers' rule, by which all keys are
  /// recomputed.
  public var prefill: PrefillChunks?
  /// When the runtime switches tables, as a rule that `Inference` can follow.
  public var rule = SwitchRule.fixed

  /// Whether keys that were cached before the crossing keep their short rotation.
  var keepsCacheAcrossSwitch: Bool { if case .kept = rule { true } else { false } }
}

/// When a runtime switches from the short table to the long one.
public enum SwitchRule: Equatable, Sendable {
  /// Never while it runs: every input uses the table in `RuntimeReading.long`.
  case fixed
  /// When there are more than this number of tokens. All keys are rotated again, but a runtime that
  /// is given a prompt in chunks keeps those of the earlier ones.
  case recomputed(beyond: Int)
  /// When there are more than this number of tokens. Cached keys are kept: a prompt, or each chunk of
  /// it, is rotated by the length up to its end, and each further token by its own position.
  case kept(beyond: Int)
  /// The base grows with the length. Cached keys are kept: a prompt is rotated by its own length,
  /// and each further token by its own position.
  case growing(DynamicNTK)
}

/// A table as a runtime uses it: its name, its attention scale, and the resulting frequencies.
public struct UsedTable: Equatable, Sendable {
  /// `long`, `short`, `none`, or the type of another scaling.
  public var name: String
  /// The attention scale.
  public var mscale: Double
  /// Radians per position for each pair, without mscale; nil for a scaling that is not computed
  /// here. (pairs)
  public var inverseFrequencies: [Double]?
  /// The same frequencies computed in 32-bit floats, or nil if they are unknown. (pairs)
  public var singlePrecision: [Float]?

  /// A table with the given frequencies.
  public init(
    name: String, mscale: Double, inverseFrequencies: [Double]?, singlePrecision: [Float]? = nil
  ) {
    self.name = name
    self.mscale = mscale
    self.inverseFrequencies = inverseFrequencies
    self.singlePrecision = singlePrecision
  }

  /// - Parameters:
  ///   - factors: one factor per pair, or nil for none.
  ///   - stretch: the divisor of all frequencies.
  init(
    name: String, factors: [Double]?, mscale: Double, theta: Double, rotaryDimensions: Int,
    stretch: Double = 1
  ) {
    self.init(
      name: name, mscale: mscale,
      inverseFrequencies: RotaryFrequencies.inverse(
        theta: theta, rotaryDimensions: rotaryDimensions, factors: factors
      ).map { $0 / stretch },
      singlePrecision: RotaryFrequencies.singlePrecision(
        theta: theta, rotaryDimensions: rotaryDimensions, factors: factors
      ).map { stretch == 1 ? $0 : $0 / Float(stretch) })
  }

  /// Whether both tables give the same angles and scale, except for a GGUF file's rounding.
  package func isClose(to other: UsedTable) -> Bool {
    guard abs(mscale - other.mscale) <= 1e-5 * other.mscale, let inverseFrequencies,
      let others = other.inverseFrequencies, inverseFrequencies.count == others.count
    else { return false }
    // Llama 3.1's parameters are solved from rounded factors.
    return zip(inverseFrequencies, others).allSatisfy { abs($0 - $1) <= 1e-3 * $1 }
  }

  /// Whether both tables give the same angles and scale, to the precision of 32-bit floats.
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
    prefill = runtime.reader.prefill
  }

  static func failure(_ runtime: Runtime, _ reason: String) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    reading.status = .fails
    reading.notes = [reason]
    return reading
  }

  /// The reading of a runtime whose behaviour is known only for files with factors.
  static func followedOnlyWithFactors(_ runtime: Runtime) -> RuntimeReading {
    .unsupported(runtime, "lrpatch follows it only with factors")
  }

  static func readsFilesOnly(_ runtime: Runtime) -> RuntimeReading {
    .unsupported(runtime, "reads GGUF files only")
  }

  static func unsupported(_ runtime: Runtime, _ reason: String) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    reading.status = .unsupported
    reading.notes = [reason]
    return reading
  }

  /// Removes the long table if no input within the window can reach it.
  mutating func confine(to window: Int) {
    switch rule {
    case .recomputed(let limit) where limit >= window, .kept(let limit) where limit >= window:
      long = short
    default: break
    }
  }

  /// Sets the status by comparing the reading with the intended one.
  /// - Parameter intended: the reading by the papers' rule. Its tables are named `long` and `short`
  ///   if the model has factors.
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
