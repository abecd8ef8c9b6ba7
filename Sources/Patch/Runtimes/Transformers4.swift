import Formats
import Models

/// transformers 4.
struct Transformers4: RuntimeReader {
  let runtime = Runtime.transformers4
  let prefill = PrefillChunks(nil, option: "generate(prefill_chunk_size=...)")
  private static let rules = ScalingRules(requiresLlama3Window: true)

  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading {
    let traits = config.architecture.transformers
    let theta = config.topTheta()
    let dimensions = config.dimensions(config["partial_rotary_factor"]?.double ?? 1)
    if config["rope_scaling"]?.members?.isEmpty == true {
      throw RuntimeRefusal("KeyError: rope_scaling is empty and has no type")
    }
    guard let scaling = config.object("rope_scaling") else {
      var reading = try config.plain(
        runtime, Self.rules, type: "default", nil, theta: theta, dimensions: dimensions)
      if config.object("rope_parameters") != nil {
        reading.notes.append("it does not read rope_parameters")
      }
      return reading
    }
    if traits.takesTypeAndFactorOnly,
      Set(scaling.members?.map(\.name) ?? []) != ["type", "factor"]
    {
      throw RuntimeRefusal(
        "ValueError: rope_scaling must be a dictionary with two fields, type and factor")
    }
    // In transformers 4, `type` overrides `rope_type`.
    var type = scaling["type"]?.text ?? scaling["rope_type"]?.text ?? "default"
    if traits.takesThreeKeysOnly {
      if ["su", "yarn"].contains(type) { type = "longrope" }
      let keys = Set(scaling.members?.map(\.name) ?? [])
      guard keys == ["type", "short_factor", "long_factor"], type == "longrope" else {
        throw RuntimeRefusal(
          "ValueError: rope_scaling must have exactly the keys type, short_factor, long_factor")
      }
    } else if scaling["rope_type"] == nil, traits.requiresRopeType {
      throw RuntimeRefusal("KeyError: rope_scaling has no rope_type")
    }
    guard type == "longrope" else {
      if type == "su" { throw RuntimeRefusal("KeyError: the rope type 'su' is unknown") }
      return try config.plain(
        runtime, Self.rules, type: type, scaling, theta: theta, dimensions: dimensions)
    }
    if traits.requiresHeadDimension, config["head_dim"]?.integer == nil {
      throw RuntimeRefusal("TypeError: head_dim is null if the config does not contain it")
    }
    return try longRoPE(config, scaling, theta: theta, dimensions: dimensions)
  }

  private func longRoPE(
    _ config: FolderConfig, _ scaling: JSONValue, theta: Double, dimensions: Int
  ) throws(RuntimeRefusal) -> RuntimeReading {
    let architecture = config.architecture
    let lists = try config.lists(scaling, dimensions: dimensions)
    var top = config["original_max_position_embeddings"]?.integer
    if top == nil, architecture.requiresMscales {
      top = scaling["original_max_position_embeddings"]?.integer
    }
    top = top ?? architecture.transformers.defaultOriginalWindow
    let original = top ?? config.window
    let factor =
      top == nil ? scaling["factor"]?.double ?? 1 : Double(config.window) / Double(original)
    var longScale =
      scaling["attention_factor"]?.double ?? config.derivedMscale(factor: factor, original)
    var shortScale = longScale
    if architecture.requiresMscales {
      (longScale, shortScale) = try config.requiredMscales(scaling, "KeyError")
    }
    var reading = RuntimeReading(runtime)
    reading.short = config.table(
      "short", lists.short, shortScale, theta: theta, dimensions: dimensions)
    // Without an original window at the top level, it would switch only beyond the window.
    reading.long =
      top == nil
      ? reading.short
      : config.table("long", lists.long, longScale, theta: theta, dimensions: dimensions)
    if top == nil {
      reading.notes.append(
        "never uses the long factors: it reads the original window only at the top level")
    }
    reading.switching = "each forward pass: longest position + 1 > \(original)"
    reading.rule =
      architecture.transformers.recomputesKeys
      ? .recomputed(beyond: original) : .kept(beyond: original)
    return reading
  }

  /// transformers 4 has one scale for both tables, and derives it if the scaling may have only
  /// three keys.
  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool {
    architecture.transformers.takesThreeKeysOnly
      || factors.mscalesDiffer && !architecture.requiresMscales
  }

  func serving(window: Int, model: String) -> String {
    "nothing: the window follows each input's length"
  }
}
