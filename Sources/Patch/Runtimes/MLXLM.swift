import Formats
import Models

/// MLX-LM: `rope_utils.initialize_rope`, and the models that use SuScaledRoPE directly.
struct MLXLM: RuntimeReader {
  let runtime = Runtime.mlx
  let prefill = PrefillChunks(2048, option: "--prefill-step-size")
  private static let rules = ScalingRules(
    foreignTypes: ["proportional", "mrope"],
    defaultOriginalWindows: ["yarn": 4096, "llama3": 8192], yarnMscale: .ratio,
    readsTruncate: false, defaultsLlama3: true)
  /// Names under which it knows YaRN.
  private static let yarnTypes: Set<String> = ["yarn", "deepseek_yarn", "telechat3-yarn"]

  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading {
    let traits = config.architecture.mlx
    if let name = traits.requiredMembers.first(where: { config[$0] == nil }) {
      throw RuntimeRefusal("TypeError: '\(name)' is missing from the config")
    }
    let theta = try theta(config)
    let partial = traits.rotatesPartially ? config["partial_rotary_factor"]?.double : nil
    let dimensions = config.dimensions(partial ?? 1)
    guard let scaling = scaling(config) else {
      return try unscaled(config, theta: theta, dimensions: dimensions)
    }
    try config.requireTemperature(of: scaling, "KeyError")
    let type = try type(scaling, traits)
    guard type == "longrope" else {
      return try config.plain(
        runtime, Self.rules, type: Self.yarnTypes.contains(type) ? "yarn" : type, scaling,
        theta: theta, dimensions: dimensions)
    }
    let lists = try config.lists(scaling, dimensions: dimensions)
    let original = try originalWindow(config, scaling)
    let derived = config.derivedMscale(
      factor: Double(config.window) / Double(original), original)
    let mscale =
      config.architecture.requiresMscales
      ? try config.requiredMscales(scaling, "KeyError").long : derived
    var reading = RuntimeReading(runtime)
    let used = config.table("long", lists.long, mscale, theta: theta, dimensions: dimensions)
    reading.short = used
    reading.long = used
    reading.switching = "never: the long factors serve every input"
    return reading
  }

  private func scaling(_ config: FolderConfig) -> JSONValue? {
    if let scaling = config.object("rope_scaling") { return scaling }
    return config.architecture.mlx.readsRopeParameters ? config.object("rope_parameters") : nil
  }

  private func unscaled(
    _ config: FolderConfig, theta: Double, dimensions: Int
  ) throws(RuntimeRefusal) -> RuntimeReading {
    if config.architecture.mlx.requiresScaling {
      throw RuntimeRefusal("AttributeError: its \(config.architecture.name) needs rope_scaling")
    }
    var reading = try config.plain(
      runtime, Self.rules, type: "default", nil, theta: theta, dimensions: dimensions)
    if config.object("rope_parameters") != nil {
      reading.notes.append("it does not read rope_parameters for this family")
    }
    return reading
  }

  private func type(_ scaling: JSONValue, _ traits: MLXTraits) throws(RuntimeRefusal) -> String {
    switch traits.longRoPE {
    case .always: return "longrope"
    case .byFactors:
      guard let type = scaling["type"]?.text, scaling["long_factor"] != nil else {
        throw RuntimeRefusal("ValueError: rope_scaling must contain long_factor and type")
      }
      return ["longrope", "su"].contains(type) ? "longrope" : type == "linear" ? type : "default"
    case .byType:
      let type = scaling["type"]?.text ?? scaling["rope_type"]?.text ?? "default"
      if type == "su" { throw RuntimeRefusal("ValueError: Unsupported RoPE type su") }
      return type
    }
  }

  private func originalWindow(
    _ config: FolderConfig, _ scaling: JSONValue
  ) throws(RuntimeRefusal) -> Int {
    let traits = config.architecture.mlx
    let object = traits.readsOriginalWindowAtTop ? config.config : scaling
    guard
      let window = object["original_max_position_embeddings"]?.integer
        ?? traits.defaultOriginalWindow
    else {
      throw RuntimeRefusal("KeyError: rope_scaling has no original_max_position_embeddings")
    }
    return window
  }

  private func theta(_ config: FolderConfig) throws(RuntimeRefusal) -> Double {
    if let theta = config["rope_theta"]?.double { return theta }
    switch config.architecture.mlx.theta {
    case .optional(let theta): return theta
    case .required: throw RuntimeRefusal("TypeError: rope_theta is missing at the top level")
    case .requiredAnywhere:
      guard let nested = config["rope_parameters"]?["rope_theta"]?.double else {
        throw RuntimeRefusal("ValueError: rope_theta is missing from the model config")
      }
      return nested
    }
  }

  /// MLX-LM reads `long_mscale` only for architectures that require it, and always uses the long
  /// table.
  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool {
    !architecture.requiresMscales
  }

  func serving(window: Int, model: String) -> String {
    "nothing: no option changes what it computes"
  }
}
