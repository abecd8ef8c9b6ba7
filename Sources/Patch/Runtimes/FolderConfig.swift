import Formats
import Models

/// The config of a model folder, with operations that several runtimes share.
struct FolderConfig {
  let architecture: Architecture
  let config: JSONValue
  /// The number of rotated dimensions with a partial rotary factor of 1.
  let fullDimensions: Int
  let window: Int

  init(_ model: ModelFolder) {
    architecture = model.architecture
    config = model.textConfig
    window = model.geometry.window
    let partial = (try? RopeConfig(config, model.path).partialRotaryFactor()) ?? nil
    fullDimensions =
      architecture.rope.dimensions == .latent
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

  subscript(_ name: String) -> JSONValue? { config[name] }

  /// The factor lists of a scaling object: (pairs).
  struct Lists {
    var long: [Double]
    var short: [Double]
  }

  /// A member that is an object with members, or nil.
  func object(_ name: String) -> JSONValue? {
    guard let value = config[name], let members = value.members, !members.isEmpty else {
      return nil
    }
    return value
  }

  func topTheta() -> Double {
    config[architecture.rope.thetaKey]?.double ?? architecture.rope.defaultTheta
  }

  func lists(
    _ scaling: JSONValue, dimensions: Int
  ) throws(RuntimeRefusal) -> Lists {
    guard let long = scaling["long_factor"]?.doubles else {
      throw RuntimeRefusal("KeyError: no list long_factor")
    }
    guard let short = scaling["short_factor"]?.doubles else {
      throw RuntimeRefusal("KeyError: no list short_factor")
    }
    for (name, list) in [("long_factor", long), ("short_factor", short)]
    where list.count != dimensions / 2 {
      throw RuntimeRefusal(
        "\(name) has \(list.count) factors, expected \(dimensions / 2)")
    }
    return Lists(long: long, short: short)
  }

  func table(
    _ name: String, _ factors: [Double]?, _ mscale: Double, theta: Double, dimensions: Int
  ) -> UsedTable {
    UsedTable(
      name: name, factors: factors, mscale: mscale, theta: theta, rotaryDimensions: dimensions)
  }

  /// The reading of a model without LongRoPE, which is the same for every length.
  ///
  /// Linear scaling and the scaling of Llama 3.1 are computed, others only named.
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
        name: "linear", factors: nil, mscale: 1, theta: theta, rotaryDimensions: dimensions,
        stretch: factor)
    case ("llama3", let factor?):
      used = table(
        "llama3", llama3Factors(factor, scaling, theta, dimensions), 1, theta: theta,
        dimensions: dimensions)
    case (let type?, _):
      used = UsedTable(name: type, mscale: 1, inverseFrequencies: nil)
    }
    reading.short = used
    reading.long = used
    return reading
  }

  private func llama3Factors(
    _ factor: Double, _ scaling: JSONValue?, _ theta: Double, _ dimensions: Int
  ) -> [Double] {
    Llama3Scaling.factors(
      theta: theta, rotaryDimensions: dimensions, factor: factor,
      originalWindow: scaling?["original_max_position_embeddings"]?.integer ?? window,
      lowFrequencyFactor: scaling?["low_freq_factor"]?.double
        ?? Llama3Scaling.defaultLowFrequencyFactor,
      highFrequencyFactor: scaling?["high_freq_factor"]?.double
        ?? Llama3Scaling.defaultHighFrequencyFactor)
  }

  /// LongRoPE's attention scale.
  func derivedMscale(factor: Double, _ original: Int) -> Double {
    LongRoPE.longRoPEMscale(scale: factor, originalWindow: original)
  }

  /// The number of rotated dimensions, truncated as in every runtime.
  func dimensions(_ partial: Double) -> Int { Int(Double(fullDimensions) * partial) }

  func requiredMscales(
    _ scaling: JSONValue, _ error: String
  ) throws(RuntimeRefusal) -> (long: Double, short: Double) {
    guard let long = scaling["long_mscale"]?.double, let short = scaling["short_mscale"]?.double
    else {
      throw RuntimeRefusal("\(error): the scaling object needs long_mscale and short_mscale")
    }
    return (long, short)
  }
}
