import Formats
import Models

/// vLLM, which reads the config class of transformers 5 with its own `get_rope`.
struct VLLM: RuntimeReader {
  let runtime = Runtime.vllm
  let prefill = PrefillChunks(
    8192, option: "--max-num-batched-tokens", condition: "more on large GPUs")
  private static let rules = ScalingRules(
    foreignTypes: ["ntk", "deepseek_yarn", "deepseek_llama_scaling", "proportional", "mllama4"],
    requiresFloatFactor: true, dynamic: .fixedAtWindow)

  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading {
    let read = try config.standardized()
    if let scaling = read.scaling, let type = scaling["type"]?.text,
      let ropeType = scaling["rope_type"]?.text, type != ropeType
    {
      throw RuntimeRefusal("ValueError: type '\(type)' and rope_type '\(ropeType)' conflict")
    }
    let dimensions = config.dimensions(read.partial)
    guard read.type == "longrope", let scaling = read.scaling else {
      return try config.plain(
        runtime, Self.rules, type: read.type, read.scaling, original: read.original,
        theta: read.theta, dimensions: dimensions)
    }
    let lists = try config.lists(scaling, dimensions: dimensions)
    let derived = config.derivedMscale(
      factor: Double(config.window) / Double(read.original), read.original)
    let used = config.table(
      "long", lists.long, scaling["long_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    var reading = RuntimeReading(runtime)
    reading.long = used
    reading.short =
      config.window > read.original
      ? used
      : config.table(
        "short", lists.short, scaling["short_mscale"]?.double ?? derived, theta: read.theta,
        dimensions: dimensions)
    if config.window <= read.original { reading.long = reading.short }
    reading.switching = "at start: --max-model-len > \(read.original) means long for every input"
    return reading
  }

  func serving(window: Int, model: String) -> String {
    "vllm serve \(model) --max-model-len \(window)"
  }
}
