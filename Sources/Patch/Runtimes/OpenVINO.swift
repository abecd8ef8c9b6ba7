import Formats
import Models

/// Models that optimum-intel exports to OpenVINO, whose graph chooses the table.
struct OpenVINO: EngineReader {
  let runtime = Runtime.openVINO
  let prefill = PrefillChunks(nil, option: "SchedulerConfig.max_num_batched_tokens")
  /// The chunks of a `ContinuousBatchingPipeline` with the scheduler's defaults; `LLMPipeline` gives
  /// prompts whole.
  private static let scheduledChunk = 256

  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    let read = try config.standardized()
    let factor = scaling["factor"]?.double ?? Double(config.window) / Double(read.original)
    let derived =
      scaling["attention_factor"]?.double ?? config.derivedMscale(factor: factor, read.original)
    var mscales = (long: derived, short: derived)
    if let long = scaling["long_mscale"]?.double, let short = scaling["short_mscale"]?.double {
      mscales = (long, short)
    }
    var reading = try config.reading(
      runtime, scaling, original: read.original, theta: read.theta, partial: read.partial,
      mscales: mscales)
    reading.switching = "each forward pass: longest position + 1 > \(read.original)"
    reading.rule = .kept(beyond: read.original)
    if read.original >= Self.scheduledChunk, reading.short != reading.long {
      reading.notes.append(
        "a ContinuousBatchingPipeline prefills in chunks of \(Self.scheduledChunk), which keep short factors; set \(prefill.option) to the window"
      )
    }
    return reading
  }

  /// It has both scales if both are in the config, else one.
  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool { false }

  func serving(window: Int, model: String) -> String {
    "optimum-cli export openvino -m \(model) OUT"
  }
}
