import Formats
import Models

/// ExLlamaV3, which chooses one table when it loads a model.
struct ExLlamaV3: EngineReader {
  let runtime = Runtime.exllamaV3
  let prefill = PrefillChunks(2048, option: "max_chunk_size")

  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    let (top, nested) = config.originalWindows(scaling)
    guard let original = nested ?? top else {
      throw RuntimeRefusal("ValueError: original_max_position_embeddings is missing")
    }
    var reading = try config.reading(
      runtime, scaling, original: original,
      theta: config[config.architecture.rope.thetaKey]?.double ?? scaling["rope_theta"]?.double
        ?? config.topTheta(),
      partial: config.partial(scaling))
    let used = config.window > original ? reading.long : reading.short
    (reading.long, reading.short) = (used, used)
    reading.switching = "at load: a window > \(original) means long for every input"
    return reading
  }

  func serving(window: Int, model: String) -> String { "Cache(model, max_num_tokens=\(window))" }
}
