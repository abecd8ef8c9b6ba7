public import Models

/// A set of factors fitted to one model, as plain numbers.
public struct ModelFactors: Equatable, Sendable {
  /// The factors for inputs beyond the original window: (pairs).
  public var long: [Double]
  /// The factors for inputs within the original window: (pairs).
  public var short: [Double]
  /// The window before the extension, in tokens.
  public var originalWindow: Int
  /// The extended window, in tokens.
  public var window: Int
  /// The attention scale for inputs beyond the original window.
  public var longMscale: Double
  /// The attention scale for inputs within the original window.
  public var shortMscale: Double

  /// s, the ratio of the windows.
  public var scale: Double { Double(window) / Double(originalWindow) }

  /// Whether every runtime derives these mscales from the windows, so that they need not be stored.
  public var isMscaleDerived: Bool {
    let derived = LongRoPE.longRoPEMscale(scale: scale, originalWindow: originalWindow)
    return [longMscale, shortMscale].allSatisfy { abs($0 - derived) <= 1e-6 * derived }
  }

  /// Whether long and short inputs have different attention scales.
  public var mscalesDiffer: Bool { longMscale != shortMscale }

  /// Factors with all numbers given.
  public init(
    long: [Double], short: [Double], originalWindow: Int, window: Int, longMscale: Double,
    shortMscale: Double
  ) {
    self.long = long
    self.short = short
    self.originalWindow = originalWindow
    self.window = window
    self.longMscale = longMscale
    self.shortMscale = shortMscale
  }

  /// Fits a set of factors to a model.
  /// - Parameters:
  ///   - subject: the file that error messages name.
  ///   - targetWindow: overrides the window of the set, which a search CSV does not have.
  ///   - allowDivergent: drop what no runtime can express (start tokens, buckets) instead of
  ///     refusing it.
  ///   - isStored: whether the factors are those of the model itself, in which an original window
  ///     above the window changes nothing if there is only one table.
  ///   - requiresOriginalWindow: refuse an unknown original window instead of using the model's
  ///     window.
  /// - Throws: `ModelError` if the set does not fit the model, or contains something that cannot be
  ///   written.
  public init(
    fitting set: FactorSet, to model: RopeGeometry, subject: String, targetWindow: Int? = nil,
    allowDivergent: Bool = false, requiresOriginalWindow: Bool = false, isStored: Bool = false
  ) throws(ModelError) {
    try set.checkRequirements(against: model, subject)
    guard let longRow = set.long.uniform, let shortRow = (set.short ?? .uniform([])).uniform else {
      throw .unsafe(
        subject,
        "the factors differ by layer: no runtime can express that")
    }
    if !allowDivergent { try set.checkExpressible(subject) }

    guard set.originalWindow != nil || model.isOriginalWindowKnown || !requiresOriginalWindow else {
      throw .unsupported(
        subject,
        "neither the factors nor the model say which window the factors extend; pass --original-length"
      )
    }
    let original = set.originalWindow ?? model.originalWindow
    guard model.originalWindows.contains(original) || !model.isOriginalWindowKnown else {
      let windows = model.originalWindows.map(String.init).joined(separator: " or ")
      throw .unsupported(
        subject,
        "the factors extend a window of \(original) tokens, but the model's own window before any extension is \(windows) (it has \(model.scalingType) scaling)"
      )
    }
    guard let window = targetWindow ?? set.window else {
      throw .unsupported(
        subject,
        "the factors do not say which window they extend to; pass --target-length to apply or factors convert"
      )
    }
    guard window >= original || isStored && set.hasOneTable else {
      throw .unsupported(
        subject, "the target window \(window) is below the original window \(original)")
    }
    guard window <= Int(Int32.max) else {
      throw .unsupported(subject, "the target window \(window) exceeds \(Int32.max)")
    }
    let mscale = set.mscale.values(originalWindow: original, window: window)
    self.init(
      long: longRow,
      short: shortRow.isEmpty ? Array(repeating: 1, count: longRow.count) : shortRow,
      originalWindow: original, window: window, longMscale: mscale.long, shortMscale: mscale.short)
  }
}

extension FactorSet {
  fileprivate func checkRequirements(
    against model: RopeGeometry, _ subject: String
  ) throws(ModelError) {
    let pairs = model.rotaryDimensions / 2
    guard long.pairs == pairs else {
      throw .unsupported(
        subject,
        "there are \(long.pairs) factors, but the model rotates \(model.rotaryDimensions) dimensions and needs \(pairs)"
      )
    }
    if let dimensions = requires.rotaryDimensions, dimensions != model.rotaryDimensions {
      throw .unsupported(
        subject,
        "the factors were made for \(dimensions) rotary dimensions, but the model has \(model.rotaryDimensions)"
      )
    }
    if let theta = requires.theta, abs(theta - model.theta) > 1e-6 * theta {
      throw .unsupported(
        subject, "the factors were made for rope_theta \(theta), but the model has \(model.theta)")
    }
    if let needed = requires.layers, let layers = model.layers, needed != layers {
      throw .unsupported(
        subject, "the factors were made for \(needed) layers, but the model has \(layers)")
    }
  }

  fileprivate func checkExpressible(_ subject: String) throws(ModelError) {
    if startTokens > 0 {
      throw .unsafe(
        subject,
        "start_tokens is \(startTokens): no runtime can express it; --allow-divergent leaves it out"
      )
    }
    if !buckets.isEmpty {
      throw .unsafe(
        subject,
        "the factors have tables by length (buckets): no runtime can express them; --allow-divergent leaves them out"
      )
    }
  }
}
