import Formats
import Models

/// mistral.rs, whose Phi-3 and Phi-3.5-MoE read factors.
struct MistralRS: EngineReader {
  let runtime = Runtime.mistralRS
  let prefill = PrefillChunks(
    4096, option: "--max-num-batched-tokens", condition: "on CUDA with paged attention")

  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    guard let scaling = config.object("rope_scaling") else {
      return try config.plain(
        runtime, ScalingRules(types: ["default"]), type: "default", nil, theta: config.topTheta(),
        dimensions: config.dimensions(config.partial(scaling)))
    }
    guard let type = scaling["type"]?.text, ["longrope", "su"].contains(type) else {
      throw RuntimeRefusal("data did not match any variant of untagged enum PhiRopeScalingConfig")
    }
    let original = try config.required("original_max_position_embeddings").integer ?? config.window
    let theta = try config.required(config.architecture.rope.thetaKey).double ?? config.topTheta()
    let tables = try config.reading(
      runtime, scaling, original: original, theta: theta,
      partial: config["partial_rotary_factor"]?.double ?? 1)
    return reading(long: tables.long, short: tables.short, original: original)
  }

  /// It reads Phi-3's lists and scale whatever the type of the scaling is.
  func read(_ model: GGUFModel) -> RuntimeReading {
    guard let long = model.longFactors, let short = model.shortFactors else {
      return .followedOnlyWithFactors(runtime)
    }
    guard model.architecture.factorSupport[runtime] == .computes else {
      return .unsupported(runtime, Self.refusal)
    }
    let prefix = model.geometry.architecture
    guard
      let mscale = model.first.header[key: "\(prefix).\(GGUFRopeName.attentionFactor)"]?.double
    else {
      return .failure(
        runtime, "it requires the key \(prefix).\(GGUFRopeName.attentionFactor) with factors")
    }
    let original =
      model.first.header[key: "\(prefix).\(GGUFRopeName.originalWindow)"]?.integer
      ?? model.geometry.window
    func table(_ name: String, _ factors: [Float]) -> UsedTable {
      UsedTable(
        name: name, factors: factors.map(Double.init), mscale: mscale, theta: model.geometry.theta,
        rotaryDimensions: model.geometry.rotaryDimensions)
    }
    var reading = reading(
      long: table("long", long), short: table("short", short), original: original)
    reading.uncomputed = model.slidingWindow(below: model.geometry.window).map {
      "it obeys \($0.key) (\($0.tokens)), which llama.cpp ignores"
    }
    return reading
  }

  private static let refusal =
    "its config for this architecture cannot represent the scaling of the file"

  func read(
    _ model: GGUFModel, patchedLike paper: RuntimeReading, _ factors: ModelFactors
  ) -> RuntimeReading {
    guard model.architecture.factorSupport[runtime] == .computes else {
      return .unsupported(runtime, Self.refusal)
    }
    var short = paper.short
    short?.mscale = factors.longMscale
    return reading(long: paper.long, short: short, original: factors.originalWindow)
  }

  /// It compares lengths as if they were positions, and so switches one token earlier than others.
  private func reading(long: UsedTable?, short: UsedTable?, original: Int) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    (reading.long, reading.short) = (long, short)
    reading.switching = "each forward pass: longest input + 1 > \(original)"
    reading.rule = .kept(beyond: original - 1)
    return reading
  }

  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool {
    architecture.factorSupport[runtime] == .computes
  }

  func serving(window: Int, model: String) -> String {
    "mistralrs serve -m \(model) --max-seq-len \(window)"
  }
}
