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

  /// LongRoPE's attention scale.
  func derivedMscale(factor: Double, _ original: Int) -> Double {
    LongRoPE.longRoPEMscale(scale: factor, originalWindow: original)
  }

  /// The number of rotated dimensions, truncated as in every runtime.
  func dimensions(_ partial: Double) -> Int { Int(Double(fullDimensions) * partial) }

  /// - Throws: `RuntimeRefusal` if the architecture has a temperature that the scaling lacks.
  func requireTemperature(
    of scaling: JSONValue?, _ error: String
  ) throws(RuntimeRefusal) {
    guard architecture.decoder?.hasTemperature == true,
      let missing = QueryTemperature.missingMember(in: config, scaling)
    else { return }
    throw RuntimeRefusal("\(error): the RoPE parameters have no \(missing)")
  }

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
