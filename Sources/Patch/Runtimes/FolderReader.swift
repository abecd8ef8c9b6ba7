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
  struct Lists {
    var long: [Double]
    var short: [Double]
  }

  func object(_ name: String) -> JSONValue? {
    guard let value = config[name], let members = value.members, !members.isEmpty else { return nil }
    return value
  }

  func topTheta(default fallback: Double? = nil) -> Double {
    config[architecture.thetaKey]?.double ?? fallback ?? architecture.defaultTheta
  }

  func lists(
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

  func table(
    _ name: String, _ factors: [Double]?, _ mscale: Double, theta: Double, dimensions: Int
  ) -> UsedTable {
    UsedTable(name: name, factors: factors, mscale: mscale, theta: theta, rotaryDimensions: dimensions)
  }

  /// Without longrope: the same for every length. Linear and Llama 3.1's scaling are computed, others are only named.
  func plain(
    _ runtime: Runtime, type: String?, _ scaling: JSONValue?, theta: Double, dimensions: Int
  ) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    var used = table("none", nil, 1, theta: theta, dimensions: dimensions)
    let factor = scaling?["factor"]?.double.flatMap { $0 > 0 ? $0 : nil }
    switch (type, factor) {
    case (nil, _), ("default", _): break
    case ("linear", let factor?):
      used = UsedTable(
        name: "linear", factors: nil, mscale: 1, theta: theta, rotaryDimensions: dimensions, stretch: factor)
    case ("llama3", let factor?):
      used = table("llama3", llama3Factors(factor, scaling, theta, dimensions), 1, theta: theta, dimensions: dimensions)
    case (let type?, _):
      used = UsedTable(name: type, mscale: 1, inverseFrequencies: nil)
    }
    reading.short = used
    reading.long = used
    return reading
  }

  private func llama3Factors(_ factor: Double, _ scaling: JSONValue?, _ theta: Double, _ dimensions: Int) -> [Double] {
    Llama3Scaling.factors(
      theta: theta, rotaryDimensions: dimensions, factor: factor,
      originalWindow: scaling?["original_max_position_embeddings"]?.integer ?? window,
      lowFrequencyFactor: scaling?["low_freq_factor"]?.double ?? 1,
      highFrequencyFactor: scaling?["high_freq_factor"]?.double ?? 4)
  }

  func su(factor: Double, _ original: Int) -> Double {
    LongRoPE.suMscale(scale: factor, originalWindow: original)
  }
}
