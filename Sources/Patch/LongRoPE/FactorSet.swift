public import Formats

/// A set of searched rescale factors, in any of the forms that LongRoPE's tools and configs hold them. Reading keeps
/// everything; what a model can carry of it is decided by `ModelFactors`.
public struct FactorSet: Equatable, Sendable {
  /// L0 in tokens; nil where the form does not say (a search CSV).
  public var originalWindow: Int?
  /// L in tokens.
  public var window: Int?
  public var long: FactorTable
  /// nil means all ones.
  public var short: FactorTable?
  public var mscale: Mscale
  /// n-hat: the first tokens, whose positions keep their original angles (LongRoPE, section 3.1).
  public var startTokens: Int
  /// Further tables for inputs up to some length (LongRoPE, section 3.3).
  public var buckets: [Bucket]
  public var requires: Requirements
  /// Anything the file says of its origin, carried along.
  public var provenance: JSONValue?

  public struct Bucket: Equatable, Sendable {
    public var maximumLength: Int
    public var factors: FactorTable

    public init(maximumLength: Int, factors: FactorTable) {
      self.maximumLength = maximumLength
      self.factors = factors
    }
  }

  /// What a model must have for these factors to make sense.
  public struct Requirements: Equatable, Sendable {
    public var rotaryDimensions: Int?
    public var theta: Double?
    public var layers: Int?

    public init(rotaryDimensions: Int? = nil, theta: Double? = nil, layers: Int? = nil) {
      self.rotaryDimensions = rotaryDimensions
      self.theta = theta
      self.layers = layers
    }
  }

  /// The limits of a factor, which keep every frequency a normal 32-bit float, and of an mscale.
  static let plausible = 1e-6...1e9
  static let plausibleMscale = 0.01...100.0

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

  /// Things worth a warning: published sets have them, so they are no errors.
  public var oddities: [String] {
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

/// One list of factors for all layers, or one list a layer.
public enum FactorTable: Equatable, Sendable {
  case uniform([Double])
  /// (layers, pairs)
  case perLayer([[Double]])

  /// Rows that are all equal become one list.
  public init(rows: [[Double]]) {
    self = rows.allSatisfy { $0 == rows[0] } ? .uniform(rows[0]) : .perLayer(rows)
  }

  public var rows: [[Double]] {
    switch self {
    case .uniform(let row): [row]
    case .perLayer(let rows): rows
    }
  }

  /// Factors in a list: half the rotary dimension.
  public var pairs: Int { rows.first?.count ?? 0 }

  public var uniform: [Double]? { if case .uniform(let row) = self { row } else { nil } }
}

/// The attention scale that multiplies cos and sin.
public enum Mscale: Equatable, Sendable {
  /// sqrt(1 + ln s / ln L0)
  case su
  /// 0.1 ln s + 1
  case yarn
  /// 1
  case none
  case literal(long: Double, short: Double)

  /// The numbers, for windows given in tokens.
  public func values(originalWindow: Int, window: Int) -> (long: Double, short: Double) {
    let scale = Double(window) / Double(originalWindow)
    switch self {
    case .su:
      let value = LongRoPE.suMscale(scale: scale, originalWindow: originalWindow)
      return (value, value)
    case .yarn:
      let value = LongRoPE.yarnMscale(scale: scale)
      return (value, value)
    case .none: return (1, 1)
    case .literal(let long, let short): return (long, short)
    }
  }
}
