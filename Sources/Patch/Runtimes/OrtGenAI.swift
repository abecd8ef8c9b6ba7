import Formats
import Models

/// ONNX Runtime GenAI with its model builder, which knows factors for Phi-3 only.
struct OrtGenAI: EngineReader {
  let runtime = Runtime.ortGenAI
  let prefill = PrefillChunks(nil, option: "search.chunk_size")
  /// The only window at which the runtime recomputes cached keys, whatever the model says.
  private static let recomputedWindow = 4096

  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    let objects = ["rope_scaling", "rope_parameters"].compactMap { config.object($0) }
    guard objects.contains(where: { $0["type"] != nil }) else {
      throw RuntimeRefusal("KeyError: 'type'")
    }
    let original =
      config.originalWindows(scaling).top ?? config.architecture.transformers.defaultOriginalWindow
      ?? config.window
    let derived = config.derivedMscale(
      factor: Double(config.window) / Double(original), original)
    let theta = try config.standardized().theta
    var reading = try config.reading(
      runtime, scaling, original: original, theta: theta, partial: config.partial(scaling),
      mscales: (
        long: Self.positive(scaling["long_mscale"]) ?? derived,
        short: Self.positive(scaling["short_mscale"]) ?? derived
      ))
    reading.switching = "each forward pass: padded length > \(original)"
    reading.rule =
      original == Self.recomputedWindow
      ? .recomputed(beyond: original) : .kept(beyond: original)
    return reading
  }

  private static func positive(_ value: JSONValue?) -> Double? {
    value?.double.flatMap { $0 > 0 ? $0 : nil }
  }

  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool { false }

  func serving(window: Int, model: String) -> String {
    "max_length \(window) in genai_config.json"
  }
}
