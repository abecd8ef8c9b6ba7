import Formats
import Models

/// transformers 5: its config classes and `modeling_rope_utils`.
struct Transformers5: RuntimeReader {
  let runtime = Runtime.transformers5
  let prefill = PrefillChunks(nil, option: "generate(prefill_chunk_size=...)")
  private static let rules = ScalingRules(foreignTypes: ["proportional", "axial"])

  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading {
    let architecture = config.architecture
    let read = try config.standardized()
    try config.requireTemperature(of: read.scaling, "TypeError")
    let dimensions = config.dimensions(read.partial)
    guard read.type == "longrope", let scaling = read.scaling else {
      return try config.plain(
        runtime, Self.rules, type: read.type, read.scaling, original: read.original,
        theta: read.theta, dimensions: dimensions)
    }
    let lists = try config.lists(scaling, dimensions: dimensions)
    var reading = RuntimeReading(runtime)
    let factor = scaling["factor"]?.double ?? Double(config.window) / Double(read.original)
    var longScale =
      scaling["attention_factor"]?.double ?? config.derivedMscale(factor: factor, read.original)
    var shortScale = longScale
    if architecture.requiresMscales {
      (longScale, shortScale) = try config.requiredMscales(scaling, "TypeError")
    }
    let shortOnly = architecture.transformers.usesShortFactorsOnly
    if shortOnly {
      reading.notes.append("its \(architecture.name) uses the short factors at every length")
    }
    let longList = shortOnly ? lists.short : lists.long
    reading.short = config.table(
      "short", lists.short, shortScale, theta: read.theta, dimensions: dimensions)
    reading.long = config.table(
      shortOnly ? "short" : "long", longList, longScale, theta: read.theta,
      dimensions: dimensions)
    reading.switching = "each forward pass: longest position + 1 > \(read.original)"
    reading.rule =
      architecture.transformers.recomputesKeys
      ? .recomputed(beyond: read.original) : .kept(beyond: read.original)
    return reading
  }

  /// transformers 5 has one scale for both tables, except for architectures that require two.
  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool {
    factors.mscalesDiffer && !architecture.requiresMscales
  }

  func serving(window: Int, model: String) -> String {
    "nothing: the window follows each input's length"
  }
}
