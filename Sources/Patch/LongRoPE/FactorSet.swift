public import Formats

/// A set of rescale factors, in any form that LongRoPE's tools and configs use.
///
/// Reading preserves everything. `ModelFactors` decides what a model can carry.
public struct FactorSet: Equatable, Sendable {
  /// L0, the original window in tokens; nil if the source does not say (a search CSV).
  public var originalWindow: Int?
  /// L, the extended window in tokens; nil if the source does not say.
  public var window: Int?
  /// The factors for inputs beyond the original window.
  public var long: FactorTable
  /// The factors for inputs within the original window; nil for all ones.
  public var short: FactorTable?
  /// The attention scale.
  public var mscale: Mscale
  /// n-hat, the number of first tokens that keep their original angles (LongRoPE, section 3.1).
  public var startTokens: Int
  /// Further tables for inputs up to some length (LongRoPE, section 3.3).
  public var buckets: [Bucket]
  /// What a model must have for the factors to fit.
  public var requires: Requirements
  /// What the source says about the origin of the factors, preserved as it is.
  public var provenance: JSONValue?

  /// A table for inputs up to some length.
  public struct Bucket: Equatable, Sendable {
    /// The largest number of tokens.
    public var maximumLength: Int
    /// The factors for these inputs.
    public var factors: FactorTable

    /// A table for inputs of at most `maximumLength` tokens.
    public init(maximumLength: Int, factors: FactorTable) {
      self.maximumLength = maximumLength
      self.factors = factors
    }
  }

  /// What a model must have for the factors to fit.
  ///
  /// A nil allows anything.
  public struct Requirements: Equatable, Sendable {
    /// The number of rotated dimensions of a head.
    public var rotaryDimensions: Int?
    /// The RoPE base.
    public var theta: Double?
    /// The number of layers.
    public var layers: Int?

    /// Requirements; nothing is required by default.
    public init(rotaryDimensions: Int? = nil, theta: Double? = nil, layers: Int? = nil) {
      self.rotaryDimensions = rotaryDimensions
      self.theta = theta
      self.layers = layers
    }
  }

  /// The allowed factors.
  ///
  /// Within these limits every frequency is a normal 32-bit float.
  static let plausible = 1e-6...1e9
  /// The allowed mscales.
  static let plausibleMscale = 0.01...100.0
  /// The allowed factors, in an error message.
  static let expectedFactor = "a number from \(plausible.lowerBound) to \(plausible.upperBound)"
  /// The allowed mscales, in an error message.
  static let expectedMscale =
    "a number from \(plausibleMscale.lowerBound) to \(plausibleMscale.upperBound)"

  /// A set of factors.
  ///
  /// Only the long table is required.
  public init(
    originalWindow: Int? = nil, window: Int? = nil, long: FactorTable, short: FactorTable? = nil,
    mscale: Mscale = .su, startTokens: Int = 0, buckets: [Bucket] = [],
    requires: Requirements = Requirements(), provenance: JSONValue? = nil
  ) {
    self.originalWindow = originalWindow
    self.window = window
    self.long = long
    self.short = short
    self.mscale = mscale
    self.startTokens = startTokens
    self.buckets = buckets
    self.requires = requires
    self.provenance = provenance
  }

  /// Unusual properties, in words.
  ///
  /// Published sets have them, so they are not errors.
  public var anomalies: [String] {
    var result: [String] = []
    for (name, table) in [("long", long), ("short", short ?? long)] {
      let rows = table.rows
      if rows.contains(where: { zip($0, $0.dropFirst()).contains { $0 > $1 } }) {
        result.append("the \(name) factors are not monotone")
      }
      if let least = rows.joined().min(), least < 1 {
        result.append("the \(name) factors go down to \(least), below 1")
      }
      if short == nil { break }
    }
    return result
  }
}

/// One list of factors for all layers, or one list per layer.
public enum FactorTable: Equatable, Sendable {
  /// One list for all layers: (pairs).
  case uniform([Double])
  /// One list per layer: (layers, pairs).
  case perLayer([[Double]])

  /// A table with one row per layer.
  ///
  /// Equal rows become one list.
  public init(rows: [[Double]]) {
    self = rows.allSatisfy { $0 == rows[0] } ? .uniform(rows[0]) : .perLayer(rows)
  }

  /// One row for all layers, or one row per layer.
  public var rows: [[Double]] {
    switch self {
    case .uniform(let row): [row]
    case .perLayer(let rows): rows
    }
  }

  /// The number of factors in a list, half of the rotated dimensions.
  public var pairs: Int { rows.first?.count ?? 0 }

  /// The list for all layers, or nil if the layers have different lists.
  public var uniform: [Double]? { if case .uniform(let row) = self { row } else { nil } }
}

/// The attention scale, which multiplies cos and sin.
///
/// s is the ratio of the windows, L0 the original window.
public enum Mscale: Equatable, Sendable {
  /// sqrt(1 + ln s / ln L0)
  case su
  /// 0.1 ln s + 1
  case yarn
  /// 1
  case none
  /// Two given numbers, for long and for short inputs.
  case literal(long: Double, short: Double)

  /// The scales for windows in tokens.
  public func values(originalWindow: Int, window: Int) -> (long: Double, short: Double) {
    let scale = Double(window) / Double(originalWindow)
    switch self {
    case .su:
      let value = LongRoPE.longRoPEMscale(scale: scale, originalWindow: originalWindow)
      return (value, value)
    case .yarn:
      let value = LongRoPE.yarnMscale(scale: scale)
      return (value, value)
    case .none: return (1, 1)
    case .literal(let long, let short): return (long, short)
    }
  }
}
