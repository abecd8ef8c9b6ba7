import Formats
import Models

/// A runtime with classes of its own for the architectures that it knows, some of which read no
/// factors (`Architecture.factorSupport`).
protocol EngineReader: RuntimeReader {
  /// The reading of a config with factors, for an architecture that the runtime computes.
  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading
}

extension EngineReader {
  /// Scalings other than LongRoPE are not followed here.
  private var rules: ScalingRules {
    ScalingRules(
      types: ["default"], foreignTypes: ["linear", "dynamic", "yarn", "llama3", "proportional"])
  }

  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading {
    guard let support = config.architecture.factorSupport[runtime] else {
      return .unsupported(runtime, "it is not known to run models of this family with factors")
    }
    let scaling = ["rope_scaling", "rope_parameters"].lazy.compactMap { config.object($0) }
      .first { $0["long_factor"] != nil }
    guard let scaling else {
      let read = try config.standardized()
      return try config.plain(
        runtime, rules, type: read.type, read.scaling, theta: read.theta,
        dimensions: config.dimensions(read.partial))
    }
    switch support {
    case .computes: return try longRoPE(scaling, in: config)
    case .refuses(let message): return .unsupported(runtime, message)
    case .ignores:
      var reading = try config.plain(
        runtime, rules, type: "default", nil, theta: config.topTheta(),
        dimensions: config.dimensions(config.partial(scaling)))
      reading.notes.append("its \(config.architecture.name) does not read factors")
      reading.isInherent = true
      return reading
    }
  }

  /// Most of them derive the scale from the windows, whatever the config says.
  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool {
    architecture.factorSupport[runtime] == .computes && !architecture.requiresMscales
  }
}

extension FolderConfig {
  func partial(_ scaling: JSONValue) -> Double {
    config["partial_rotary_factor"]?.double ?? scaling["partial_rotary_factor"]?.double ?? 1
  }

  /// The original window at the top level and inside a scaling object.
  func originalWindows(_ scaling: JSONValue) -> (top: Int?, nested: Int?) {
    let name = "original_max_position_embeddings"
    return (config[name]?.integer, scaling[name]?.integer)
  }

  /// A member that the runtime requires at the top level.
  func required(_ name: String) throws(RuntimeRefusal) -> JSONValue {
    guard let value = config[name], !value.isNull else {
      throw RuntimeRefusal("missing field `\(name)`")
    }
    return value
  }

  /// A reading with both lists and a scale that is derived from the windows.
  /// - Parameter mscales: nil for sqrt(1 + ln(L / L0) / ln L0).
  func reading(
    _ runtime: Runtime, _ scaling: JSONValue, original: Int, theta: Double, partial: Double,
    mscales: (long: Double, short: Double)? = nil
  ) throws(RuntimeRefusal) -> RuntimeReading {
    let dimensions = dimensions(partial)
    let lists = try lists(scaling, dimensions: dimensions)
    let derived = derivedMscale(factor: Double(window) / Double(original), original)
    let used = mscales ?? (derived, derived)
    var reading = RuntimeReading(runtime)
    reading.short = table("short", lists.short, used.short, theta: theta, dimensions: dimensions)
    reading.long = table("long", lists.long, used.long, theta: theta, dimensions: dimensions)
    return reading
  }
}
