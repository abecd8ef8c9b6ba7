/// A factor set fitted to one model: what is to be written, or was read, as plain numbers.
public struct ModelFactors: Equatable, Sendable {
  public var long: [Double]
  public var short: [Double]
  public var originalWindow: Int
  public var window: Int
  public var longMscale: Double
  public var shortMscale: Double

  /// s
  public var scale: Double { Double(window) / Double(originalWindow) }

  /// Whether every runtime derives these mscales from the windows alone, so that no key need say them.
  public var isMscaleDerived: Bool {
    let derived = LongRoPE.suMscale(scale: scale, originalWindow: originalWindow)
    return [longMscale, shortMscale].allSatisfy { abs($0 - derived) <= 1e-6 * derived }
  }

  public var mscalesDiffer: Bool { longMscale != shortMscale }

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

  /// Fits `set` to a model.
  /// - Parameters:
  ///   - targetWindow: overrides the set's window, which a search CSV does not have.
  ///   - requiresOriginalWindow: refuse where nothing says the original window, rather than take the whole one for it.
  ///   - allowDivergent: drop what no runtime can express (start tokens, buckets) instead of refusing.
  /// - Throws: `PatchError` where the set does not belong to the model, or holds what cannot be written.
  public init(
    fitting set: FactorSet, to model: RopeGeometry, subject: String, targetWindow: Int? = nil,
    allowDivergent: Bool = false, requiresOriginalWindow: Bool = false
  ) throws(PatchError) {
    try set.checkRequirements(against: model, subject)
    guard let longRow = set.long.uniform, let shortRow = (set.short ?? .uniform([])).uniform else {
      throw .unsafe(
        subject,
        "factors that differ by layer: \(Runtime.list(Runtime.allCases)) cannot express them"
      )
    }
    if !allowDivergent { try set.checkExpressible(subject) }

    guard set.originalWindow != nil || model.isOriginalWindowKnown || !requiresOriginalWindow else {
      throw .unsupported(
        subject, "neither the factors nor the model say the window that the factors extend; give --original-length")
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
      throw .unsupported(subject, "the factors do not say the window that they extend to; give --target-length")
    }
    guard window >= original else {
      throw .unsupported(subject, "the target window \(window) is below the original window \(original)")
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
  ) throws(PatchError) {
    let pairs = model.rotaryDimensions / 2
    guard long.pairs == pairs else {
      throw .unsupported(
        subject,
        "\(long.pairs) factors, but the model rotates \(model.rotaryDimensions) dimensions and needs \(pairs)")
    }
    if let dimensions = requires.rotaryDimensions, dimensions != model.rotaryDimensions {
      throw .unsupported(
        subject,
        "made for \(dimensions) rotary dimensions, but the model has \(model.rotaryDimensions)")
    }
    if let theta = requires.theta, abs(theta - model.theta) > 1e-6 * theta {
      throw .unsupported(
        subject, "made for rope_theta \(theta), but the model has \(model.theta)")
    }
    if let needed = requires.layers, let layers = model.layers, needed != layers {
      throw .unsupported(subject, "made for \(needed) layers, but the model has \(layers)")
    }
  }

  fileprivate func checkExpressible(_ subject: String) throws(PatchError) {
    let everyRuntime = Runtime.list(Runtime.allCases)
    if startTokens > 0 {
      throw .unsafe(
        subject,
        "start_tokens \(startTokens): \(everyRuntime) cannot express it; --allow-divergent leaves it out")
    }
    if !buckets.isEmpty {
      throw .unsafe(
        subject,
        "tables by length (buckets): \(everyRuntime) cannot express them; --allow-divergent leaves them out")
    }
  }
}
