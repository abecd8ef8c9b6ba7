import Formats

/// Reads a model folder's config as each runtime's own code does (specs/runtimes.md has the sources).
struct FolderReader {
  let architecture: Architecture
  let config: JSONValue
  /// The rotated dimensions for partial rotary factor 1.
  let fullDimensions: Int
  let window: Int

  init(_ model: HuggingFaceModel) {
    architecture = model.architecture
    config = model.textConfig
    window = model.geometry.window
    let partial = (try? ConfigReader(config, model.path).partialRotaryFactor()) ?? nil
    fullDimensions =
      architecture.rotary == .latent
      ? model.geometry.rotaryDimensions
      : Self.headDimension(config)
        ?? Int((Double(model.geometry.rotaryDimensions) / (partial ?? 1)).rounded())
  }

  private static func headDimension(_ config: JSONValue) -> Int? {
    if let explicit = config["head_dim"]?.integer { return explicit }
    guard let hidden = config["hidden_size"]?.integer,
      let heads = config["num_attention_heads"]?.integer
    else { return nil }
    return hidden / heads
  }

  func read(_ runtime: Runtime) -> RuntimeReading {
    if let reason = architecture.unsupported[runtime] { return .unsupported(runtime, reason) }
    do {
      switch runtime {
      case .transformers5: return try transformers5()
      case .transformers4: return try transformers4()
      case .vllm: return try vllm()
      case .sglang: return try sglang()
      case .mlx: return try mlx()
      case .llamaCpp: return .unsupported(.llamaCpp, "reads GGUF files only")
      }
    } catch {
      return .failure(runtime, error.description)
    }
  }

  // MARK: What several share

  /// Why a runtime cannot load the model.
  struct Refusal: Error { var description: String }

  /// A longrope object's lists as some runtime reads them.
  private struct Lists {
    var long: [Double]
    var short: [Double]
  }

  private func object(_ name: String) -> JSONValue? {
    guard let value = config[name], let members = value.members, !members.isEmpty else { return nil }
    return value
  }

  private func topTheta(default fallback: Double? = nil) -> Double {
    config[architecture.thetaKey]?.double ?? fallback ?? architecture.defaultTheta
  }

  private func lists(
    _ scaling: JSONValue, dimensions: Int
  ) throws(Refusal) -> Lists {
    guard let long = scaling["long_factor"]?.doubles else {
      throw Refusal(description: "KeyError: no list long_factor")
    }
    guard let short = scaling["short_factor"]?.doubles else {
      throw Refusal(description: "KeyError: no list short_factor")
    }
    for (name, list) in [("long_factor", long), ("short_factor", short)]
    where list.count != dimensions / 2 {
      throw Refusal(
        description: "\(name) has \(list.count) factors, expected \(dimensions / 2)")
    }
    return Lists(long: long, short: short)
  }

  private func table(
    _ name: String, _ factors: [Double]?, _ mscale: Double, theta: Double, dimensions: Int
  ) -> UsedTable {
    UsedTable(
      name: name, mscale: mscale,
      inverseFrequencies: LongRoPE.inverseFrequencies(
        theta: theta, rotaryDimensions: dimensions, factors: factors))
  }

  /// Without longrope: the same for every length. Linear scaling is computed, others are only named.
  private func plain(
    _ runtime: Runtime, type: String?, _ scaling: JSONValue?, theta: Double, dimensions: Int
  ) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    var used = table("none", nil, 1, theta: theta, dimensions: dimensions)
    if let type, type != "default" {
      used.name = type
      let factor = scaling?["factor"]?.double
      used.inverseFrequencies =
        type == "linear" ? factor.map { f in used.inverseFrequencies?.map { $0 / f } ?? [] } : nil
    }
    reading.short = used
    reading.long = used
    return reading
  }

  private func su(factor: Double, _ original: Int) -> Double {
    LongRoPE.suMscale(scale: factor, originalWindow: original)
  }

  // MARK: transformers

  /// The scaling as transformers 5's config class leaves it, which vLLM and SGLang read too.
  private struct Standardized {
    var scaling: JSONValue?
    var type: String
    var theta: Double
    var partial: Double
    var original: Int
  }

  private func standardized() throws(Refusal) -> Standardized {
    let scaling = object("rope_scaling") ?? object("rope_parameters")
    var type = scaling?["rope_type"]?.text ?? scaling?["type"]?.text ?? "default"
    let nested = scaling?["original_max_position_embeddings"]?.integer
    let isPhi3 = architecture.takesThreeKeysOnly
    if type == "su" || (isPhi3 && type == "yarn") {
      guard isPhi3 || architecture.isRemoteCode else {
        throw Refusal(description: "KeyError: the rope type 'su' is unknown")
      }
      guard nested != nil else {
        throw Refusal(
          description: "KeyError: a '\(type)' object needs original_max_position_embeddings inside")
      }
      type = "longrope"
    }
    let top = config["original_max_position_embeddings"]?.integer ?? (isPhi3 ? 4096 : nil)
    return Standardized(
      scaling: scaling, type: type,
      theta: scaling?["rope_theta"]?.double ?? topTheta(),
      partial: scaling?["partial_rotary_factor"]?.double
        ?? config["partial_rotary_factor"]?.double ?? 1,
      original: top ?? nested ?? window)
  }

  private func dimensions(_ partial: Double) -> Int { Int(Double(fullDimensions) * partial) }

  private func transformers5() throws(Refusal) -> RuntimeReading {
    let read = try standardized()
    let dimensions = dimensions(read.partial)
    guard read.type == "longrope", let scaling = read.scaling else {
      return plain(
        .transformers5, type: read.type, read.scaling, theta: read.theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    var reading = RuntimeReading(.transformers5)
    let factor = scaling["factor"]?.double ?? Double(window) / Double(read.original)
    var longScale = scaling["attention_factor"]?.double ?? su(factor: factor, read.original)
    var shortScale = longScale
    if architecture.requiresMscales {
      (longScale, shortScale) = try requiredMscales(scaling, "TypeError")
      reading.notes.append("its phimoe uses the short factors at every length")
    }
    let longList = architecture.requiresMscales ? lists.short : lists.long
    reading.short = table(
      "short", lists.short, shortScale, theta: read.theta, dimensions: dimensions)
    reading.long = table(
      architecture.requiresMscales ? "short" : "long", longList, longScale, theta: read.theta,
      dimensions: dimensions)
    reading.switching = "each forward pass: longest position + 1 > \(read.original)"
    if !architecture.takesThreeKeysOnly && !architecture.requiresMscales {
      reading.notes.append("keys cached before the crossing keep their short rotation")
      reading.keepsCacheAcrossSwitch = true
    }
    return reading
  }

  private func requiredMscales(
    _ scaling: JSONValue, _ error: String
  ) throws(Refusal) -> (long: Double, short: Double) {
    guard let long = scaling["long_mscale"]?.double, let short = scaling["short_mscale"]?.double
    else {
      throw Refusal(description: "\(error): the scaling object needs long_mscale and short_mscale")
    }
    return (long, short)
  }

  private func transformers4() throws(Refusal) -> RuntimeReading {
    let theta = topTheta()
    let dimensions = dimensions(config["partial_rotary_factor"]?.double ?? 1)
    guard let scaling = object("rope_scaling") else {
      var reading = plain(
        .transformers4, type: nil, nil, theta: theta, dimensions: dimensions)
      if object("rope_parameters") != nil {
        reading.notes.append("it does not read rope_parameters")
      }
      return reading
    }
    // A `type` overwrites `rope_type` there.
    var type = scaling["type"]?.text ?? scaling["rope_type"]?.text ?? "default"
    if architecture.takesThreeKeysOnly {
      if ["su", "yarn"].contains(type) { type = "longrope" }
      let keys = Set(scaling.members?.map(\.name) ?? [])
      guard keys == ["type", "short_factor", "long_factor"], type == "longrope" else {
        throw Refusal(
          description:
            "ValueError: rope_scaling must have exactly the keys type, short_factor, long_factor")
      }
    } else if scaling["rope_type"] == nil,
      ["granite", "granitemoe", "phimoe"].contains(architecture.modelType)
    {
      throw Refusal(description: "KeyError: rope_scaling has no rope_type")
    }
    guard type == "longrope" else {
      if type == "su" { throw Refusal(description: "KeyError: the rope type 'su' is unknown") }
      return plain(.transformers4, type: type, scaling, theta: theta, dimensions: dimensions)
    }
    if architecture.needsHeadDimension, config["head_dim"]?.integer == nil {
      throw Refusal(description: "TypeError: head_dim is null where the config does not say it")
    }
    return try transformers4LongRoPE(scaling, theta: theta, dimensions: dimensions)
  }

  private func transformers4LongRoPE(
    _ scaling: JSONValue, theta: Double, dimensions: Int
  ) throws(Refusal) -> RuntimeReading {
    let lists = try lists(scaling, dimensions: dimensions)
    var top = config["original_max_position_embeddings"]?.integer
    if top == nil, architecture.requiresMscales {
      top = scaling["original_max_position_embeddings"]?.integer
    }
    if top == nil, architecture.takesThreeKeysOnly { top = 4096 }
    let original = top ?? window
    let factor =
      top == nil ? scaling["factor"]?.double ?? 1 : Double(window) / Double(original)
    var longScale = scaling["attention_factor"]?.double ?? su(factor: factor, original)
    var shortScale = longScale
    if architecture.requiresMscales { (longScale, shortScale) = try requiredMscales(scaling, "KeyError") }
    var reading = RuntimeReading(.transformers4)
    reading.short = table(
      "short", lists.short, shortScale, theta: theta, dimensions: dimensions)
    // Without a top-level original window the switch lies beyond the window.
    reading.long =
      top == nil
      ? reading.short
      : table("long", lists.long, longScale, theta: theta, dimensions: dimensions)
    if top == nil {
      reading.notes.append("never long: it reads the original window at the top level only")
    }
    reading.switching = "each forward pass: longest position + 1 > \(original)"
    reading.keepsCacheAcrossSwitch =
      !architecture.takesThreeKeysOnly && !architecture.requiresMscales
    return reading
  }

  // MARK: vLLM and SGLang

  private func vllm() throws(Refusal) -> RuntimeReading {
    let read = try standardized()
    if let scaling = read.scaling, let type = scaling["type"]?.text,
      let ropeType = scaling["rope_type"]?.text, type != ropeType
    {
      throw Refusal(description: "ValueError: type '\(type)' and rope_type '\(ropeType)' conflict")
    }
    let dimensions = dimensions(read.partial)
    guard read.type == "longrope", let scaling = read.scaling else {
      return plain(.vllm, type: read.type, read.scaling, theta: read.theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    let derived = su(factor: Double(window) / Double(read.original), read.original)
    let used = table(
      "long", lists.long, scaling["long_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    var reading = RuntimeReading(.vllm)
    reading.long = used
    reading.short =
      window > read.original
      ? used
      : table(
        "short", lists.short, scaling["short_mscale"]?.double ?? derived, theta: read.theta,
        dimensions: dimensions)
    if window <= read.original { reading.long = reading.short }
    reading.switching = "at start: --max-model-len > \(read.original) means long for every input"
    return reading
  }

  private func sglang() throws(Refusal) -> RuntimeReading {
    let read = try standardized()
    let dimensions = dimensions(config["partial_rotary_factor"]?.double ?? 1)
    guard read.type == "longrope", let scaling = read.scaling else {
      return plain(
        .sglang, type: read.type, read.scaling, theta: read.theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    let derived = su(factor: Double(window) / Double(read.original), read.original)
    var reading = RuntimeReading(.sglang)
    reading.short = table(
      "short", lists.short, scaling["short_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    reading.long = table(
      "long", lists.long, scaling["long_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    reading.switching = "each batch: any position > \(read.original); keys are not recomputed"
    reading.keepsCacheAcrossSwitch = true
    return reading
  }

  // MARK: MLX-LM

  private func mlx() throws(Refusal) -> RuntimeReading {
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
