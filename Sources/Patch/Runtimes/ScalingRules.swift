import Formats
import Models

/// How one runtime computes the scalings of rotary embeddings other than LongRoPE, described by the
/// differences from transformers 5.
struct ScalingRules {
  /// How YaRN's attention scale is found.
  enum YarnMscale {
    /// `attention_factor`, else from `mscale` and `mscale_all_dim` if neither is 0, else from the
    /// factor.
    case attentionFactor
    /// From `mscale` and `mscale_all_dim` if both are present, else from the factor; times
    /// `attn_factor`.
    case attnFactor
    /// From `mscale` and `mscale_all_dim`, which are 1 and 0 by default.
    case ratio
  }

  /// How the base of `dynamic` follows the length.
  enum Dynamic {
    /// It grows with each input.
    case byLength
    /// It is that of a fixed length: `max_trained_positions` is the window, `alpha` the growth.
    case fixedAtWindow
    /// It is that of an input of factor x window tokens, or `alpha` the growth.
    case fixedAtFactor
  }

  /// The types that the runtime computes.
  var types: Set<String> = ["default", "linear", "dynamic", "yarn", "llama3"]
  /// Other types that the runtime has, and that are not computed here.
  var foreignTypes: Set<String> = []
  /// The original window of a scaling without one, by its type; others have the window.
  var defaultOriginalWindows: [String: Int] = [:]
  /// Whether the linear factor must have a fraction in the config.
  var requiresFloatFactor = false
  var yarnMscale = YarnMscale.attentionFactor
  /// Whether it reads YaRN's `truncate`.
  var readsTruncate = true
  /// Whether it reads YaRN's `extrapolation_factor`.
  var readsExtrapolation = false
  var dynamic = Dynamic.byLength
  /// Whether Llama 3.1's scaling must contain its original window.
  var requiresLlama3Window = false
  /// Whether Llama 3.1's frequency factors have defaults.
  var defaultsLlama3 = false
}

extension FolderConfig {
  /// The reading of a model without LongRoPE.
  /// - Parameters:
  ///   - type: the type of the scaling as the runtime sees it.
  ///   - original: the original window that the runtime uses; nil to read it from the scaling.
  /// - Throws: `RuntimeRefusal` for a type or a parameter that the runtime refuses.
  func plain(
    _ runtime: Runtime, _ rules: ScalingRules, type: String, _ scaling: JSONValue?,
    original: Int? = nil, theta: Double, dimensions: Int
  ) throws(RuntimeRefusal) -> RuntimeReading {
    guard type == "default" || rules.types.contains(type) else {
      guard rules.foreignTypes.contains(type) else {
        throw RuntimeRefusal("the rope type '\(type.sanitized)' is unknown")
      }
      var reading = RuntimeReading.unsupported(
        runtime, "lrpatch does not compute the rope type '\(type.sanitized)'")
      let used = UsedTable(name: type.sanitized, mscale: 1, inverseFrequencies: nil)
      (reading.short, reading.long) = (used, used)
      return reading
    }
    let numbers = ScalingNumbers(scaling ?? .object([]), type: type)
    var scaled = ScaledRope(
      config: self, rules: rules, numbers: numbers, theta: theta, dimensions: dimensions)
    if type != "default" { scaled.factor = try scaled.readFactor() }
    if let original {
      scaled.original = original
    } else if let window = try numbers.number("original_max_position_embeddings") {
      scaled.original = Int(window)
    } else {
      scaled.original = rules.defaultOriginalWindows[type] ?? window
    }
    return try scaled.reading(runtime, type)
  }
}

/// The numbers of a scaling object.
private struct ScalingNumbers {
  let object: JSONValue
  let type: String

  init(_ object: JSONValue, type: String) {
    self.object = object
    self.type = type
  }

  /// A number, or nil if it is missing or null.
  func number(_ name: String) throws(RuntimeRefusal) -> Double? {
    guard let value = object[name], !value.isNull else { return nil }
    guard let number = value.double, number.isFinite else {
      throw RuntimeRefusal("TypeError: '\(name)' of the \(type) scaling is \(value.kind)")
    }
    return number
  }

  func required(_ name: String) throws(RuntimeRefusal) -> Double {
    guard let number = try number(name) else {
      throw RuntimeRefusal("KeyError: the \(type) scaling has no '\(name)'")
    }
    return number
  }

  func positive(_ name: String, or other: Double?) throws(RuntimeRefusal) -> Double {
    let number = try other == nil ? required(name) : number(name) ?? other ?? 1
    guard number > 0 else {
      throw RuntimeRefusal(
        "'\(name)' of the \(type) scaling is \(number), expected a positive number")
    }
    return number
  }
}

/// The computation of one scaling by the rules of one runtime.
private struct ScaledRope {
  let config: FolderConfig
  let rules: ScalingRules
  let numbers: ScalingNumbers
  let theta: Double
  let dimensions: Int
  var factor = 1.0
  var original = 0

  func reading(_ runtime: Runtime, _ type: String) throws(RuntimeRefusal) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    let used: UsedTable
    switch type {
    case "linear": used = try linear()
    case "llama3": used = try llama3()
    case "dynamic": return try dynamic(reading)
    case "default": used = table("none", theta: theta)
    default: used = try yarn()
    }
    (reading.short, reading.long) = (used, used)
    return reading
  }

  private func table(
    _ name: String, theta: Double, factors: [Double]? = nil, stretch: Double = 1
  ) -> UsedTable {
    UsedTable(
      name: name, factors: factors, mscale: 1, theta: theta, rotaryDimensions: dimensions,
      stretch: stretch)
  }

  /// - Throws: `RuntimeRefusal` if the factor is missing and required, or not positive.
  func readFactor() throws(RuntimeRefusal) -> Double {
    // Null means the ratio of the windows, in YaRN only.
    if numbers.type == "yarn", numbers.object["factor"]?.isNull == true,
      let original = try numbers.number("original_max_position_embeddings"), original > 0
    {
      return Double(config.window) / original
    }
    if numbers.type == "dynamic", rules.dynamic != .byLength, numbers.object["alpha"] != nil {
      return try numbers.positive("factor", or: 1)
    }
    return try numbers.positive("factor", or: nil)
  }

  private func linear() throws(RuntimeRefusal) -> UsedTable {
    if rules.requiresFloatFactor, case .number(let text)? = numbers.object["factor"],
      !text.contains(where: { ".eE".contains($0) })
    {
      throw RuntimeRefusal("TypeError: the factor \(text) of the linear scaling has no fraction")
    }
    return table("linear", theta: theta, stretch: factor)
  }

  private func llama3() throws(RuntimeRefusal) -> UsedTable {
    if rules.requiresLlama3Window {
      _ = try numbers.required("original_max_position_embeddings")
    }
    let low = try frequencyFactor("low_freq_factor", Llama3Scaling.defaultLowFrequencyFactor)
    let high = try frequencyFactor("high_freq_factor", Llama3Scaling.defaultHighFrequencyFactor)
    let factors = Llama3Scaling.factors(
      theta: theta, rotaryDimensions: dimensions, factor: factor, originalWindow: original,
      lowFrequencyFactor: low, highFrequencyFactor: high)
    return table("llama3", theta: theta, factors: factors)
  }

  private func frequencyFactor(
    _ name: String, _ defaultValue: Double
  ) throws(RuntimeRefusal) -> Double {
    try numbers.positive(name, or: rules.defaultsLlama3 ? defaultValue : nil)
  }

  // MARK: YaRN

  private func yarn() throws(RuntimeRefusal) -> UsedTable {
    var yarn = YaRN(factor: factor, originalWindow: original)
    yarn.turns = YarnTurns(
      fast: try turns("beta_fast", YaRN.publishedTurns.fast),
      slow: try turns("beta_slow", YaRN.publishedTurns.slow))
    if rules.readsTruncate, let flag = numbers.object["truncate"], flag.flag == false {
      yarn.truncates = false
    }
    if rules.readsExtrapolation {
      yarn.extrapolation = try numbers.number("extrapolation_factor") ?? 1
    }
    return UsedTable(
      name: "yarn", mscale: try yarnMscale(),
      inverseFrequencies: yarn.inverse(theta: theta, rotaryDimensions: dimensions),
      singlePrecision: yarn.singlePrecision(theta: theta, rotaryDimensions: dimensions))
  }

  /// An end of the ramp.
  ///
  /// 0 means the default.
  private func turns(_ name: String, _ defaultValue: Double) throws(RuntimeRefusal) -> Double {
    let number = try numbers.number(name) ?? defaultValue
    return try number == 0 ? defaultValue : numbers.positive(name, or: defaultValue)
  }

  private func yarnMscale() throws(RuntimeRefusal) -> Double {
    let (own, all) = (try numbers.number("mscale"), try numbers.number("mscale_all_dim"))
    func ratio(_ own: Double, _ all: Double) -> Double {
      YaRN.mscale(scale: factor, coefficient: own) / YaRN.mscale(scale: factor, coefficient: all)
    }
    let derived = YaRN.mscale(scale: factor)
    switch rules.yarnMscale {
    case .attentionFactor:
      if let given = try numbers.number("attention_factor") { return given }
      guard let own, let all, own != 0, all != 0 else { return derived }
      return ratio(own, all)
    case .attnFactor:
      let scale = try numbers.number("attn_factor") ?? 1
      guard let own, let all else { return scale * derived }
      return scale * ratio(own, all)
    case .ratio: return ratio(own ?? 1, all ?? 0)
    }
  }

  // MARK: Dynamic NTK

  private func dynamic(_ reading: RuntimeReading) throws(RuntimeRefusal) -> RuntimeReading {
    guard dimensions > 2 else {
      throw RuntimeRefusal("ZeroDivisionError: dynamic scaling needs more than 2 dimensions")
    }
    var reading = reading
    guard rules.dynamic == .byLength else {
      let used = try fixedDynamic()
      (reading.short, reading.long) = (used, used)
      if used.name == "none" {
        reading.notes.append("dynamic scaling changes nothing here without alpha")
      }
      return reading
    }
    let scaling = DynamicNTK(
      factor: factor, window: config.window, theta: theta, rotaryDimensions: dimensions)
    guard let full = Int(exactly: (factor * Double(config.window)).rounded()) else {
      throw RuntimeRefusal("the factor \(factor) makes a window that no number can say")
    }
    reading.short = table("none", theta: theta)
    reading.long = table("dynamic", theta: scaling.theta(length: full))
    reading.rule = .growing(scaling)
    reading.switching =
      "each forward pass: beyond \(config.window) the base grows with the longest position + 1"
    return reading
  }

  private func fixedDynamic() throws(RuntimeRefusal) -> UsedTable {
    let growth: Double
    if numbers.object["alpha"] != nil {
      growth = try numbers.positive("alpha", or: nil)
    } else if rules.dynamic == .fixedAtFactor {
      growth = factor * factor - (factor - 1)
    } else {
      let trained = try numbers.positive("max_trained_positions", or: Double(config.window))
      growth = factor * Double(config.window) / trained - (factor - 1)
    }
    guard growth > 0 else {
      throw RuntimeRefusal("the dynamic scaling makes the base \(growth) times as large")
    }
    return table(
      growth == 1 ? "none" : "dynamic",
      theta: DynamicNTK.theta(theta, growing: growth, rotaryDimensions: dimensions))
  }
}
