import Formats

/// MLX-LM: `rope_utils.initialize_rope`, and the models that call SuScaledRoPE themselves.
extension FolderReader {
  func mlx() throws(Refusal) -> RuntimeReading {
    let isPhi = ["phi3", "phimoe"].contains(architecture.modelType)
    let theta = try mlxTheta()
    let partial = architecture.modelType == "phi3" ? config["partial_rotary_factor"]?.double : nil
    let dimensions = dimensions(partial ?? 1)
    var scaling = object("rope_scaling")
    if scaling == nil, architecture.modelType == "qwen3" { scaling = object("rope_parameters") }
    guard let scaling else {
      if architecture.rotary == .latent {
        throw Refusal(description: "AttributeError: its minicpm3 needs rope_scaling")
      }
      var reading = plain(.mlx, type: nil, nil, theta: theta, dimensions: dimensions)
      if object("rope_parameters") != nil {
        reading.notes.append("it does not read rope_parameters for this family")
      }
      return reading
    }
    let type = try mlxType(scaling)
    guard type == "longrope" else {
      return plain(.mlx, type: type, scaling, theta: theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    let nested = scaling["original_max_position_embeddings"]?.integer
    let original: Int
    if isPhi {
      original = config["original_max_position_embeddings"]?.integer ?? 4096
    } else if let nested {
      original = nested
    } else if architecture.rotary == .latent {
      original = 4096
    } else {
      throw Refusal(description: "KeyError: rope_scaling has no original_max_position_embeddings")
    }
    var mscale = su(factor: Double(window) / Double(original), original)
    if architecture.requiresMscales { mscale = try requiredMscales(scaling, "KeyError").long }
    var reading = RuntimeReading(.mlx)
    let used = table("long", lists.long, mscale, theta: theta, dimensions: dimensions)
    reading.short = used
    reading.long = used
    reading.switching = "never: the long factors serve every input"
    return reading
  }

  private func mlxType(_ scaling: JSONValue) throws(Refusal) -> String {
    if architecture.rotary == .latent || architecture.modelType == "phimoe" { return "longrope" }
    if architecture.modelType == "phi3" {
      guard let type = scaling["type"]?.text, scaling["long_factor"] != nil else {
        throw Refusal(description: "ValueError: rope_scaling must contain long_factor and type")
      }
      return ["longrope", "su"].contains(type) ? "longrope" : type == "linear" ? type : "default"
    }
    let type = scaling["type"]?.text ?? scaling["rope_type"]?.text ?? "default"
    if type == "su" { throw Refusal(description: "ValueError: Unsupported RoPE type su") }
    return type
  }

  private func mlxTheta() throws(Refusal) -> Double {
    if let theta = config["rope_theta"]?.double { return theta }
    switch architecture.modelType {
    case "qwen3":
      guard let nested = config["rope_parameters"]?["rope_theta"]?.double else {
        throw Refusal(description: "ValueError: rope_theta is missing from the model config")
      }
      return nested
    case "granite", "granitemoe", "apertus":
      throw Refusal(description: "TypeError: rope_theta is missing at the top level")
    case "qwen2", "minicpm", "minicpm3": return 1_000_000
    default: return 10_000
    }
  }
}
