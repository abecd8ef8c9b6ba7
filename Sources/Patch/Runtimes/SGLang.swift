import Formats
import Models

/// SGLang, which reads the config class of transformers 5 with its own `get_rope`.
struct SGLang: RuntimeReader {
  let runtime = Runtime.sglang
  let prefill = PrefillChunks(
    8192, option: "--chunked-prefill-size",
    condition: "with 60 to 160 GiB of GPU memory; 2048, 4096 or 16384 with less or more")
  private static let rules = ScalingRules(
    foreignTypes: ["deepseek_yarn", "proportional"], yarnMscale: .attnFactor,
    readsExtrapolation: true, dynamic: .fixedAtFactor)

  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading {
    let read = try config.standardized()
    let dimensions = config.dimensions(config["partial_rotary_factor"]?.double ?? 1)
    guard read.type == "longrope", let scaling = read.scaling else {
      return try config.plain(
        runtime, Self.rules, type: read.type, read.scaling, original: read.original,
        theta: read.theta, dimensions: dimensions)
    }
    let lists = try config.lists(scaling, dimensions: dimensions)
    let derived = config.derivedMscale(
      factor: Double(config.window) / Double(read.original), read.original)
    var reading = RuntimeReading(runtime)
    reading.short = config.table(
      "short", lists.short, scaling["short_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    reading.long = config.table(
      "long", lists.long, scaling["long_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    reading.switching = "each batch: any position > \(read.original)"
    // SGLang compares positions, which count from 0, so it switches one token later than others.
    reading.rule = .kept(beyond: read.original + 1)
    return reading
  }

  func serving(window: Int, model: String) -> String {
    "python -m sglang.launch_server --model-path \(model) --context-length \(window)"
  }
}
