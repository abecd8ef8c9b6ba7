import Formats
import Models

/// LMDeploy's PyTorch engine; its other engine, TurboMind, refuses LongRoPE.
struct LMDeploy: EngineReader {
  let runtime = Runtime.lmdeploy
  let prefill = PrefillChunks(8192, option: "--max-prefill-token-num")

  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    // It loads the config class of transformers, with its errors.
    _ = try config.standardized()
    let (top, nested) = config.originalWindows(scaling)
    // The class of phimoe reads the window at the top level only.
    let ownsKeys = config.architecture.requiresMscales
    let original = (ownsKeys ? top : nested ?? top) ?? config.window
    let mscales = ownsKeys ? try config.requiredMscales(scaling, "KeyError") : nil
    var reading = try config.reading(
      runtime, scaling, original: original,
      theta: scaling["rope_theta"]?.double ?? config.topTheta(),
      partial: config.partial(scaling), mscales: mscales)
    reading.switching = "each batch: any position + 1 > \(original)"
    reading.rule = .kept(beyond: original)
    return reading
  }

  func serving(window: Int, model: String) -> String {
    "lmdeploy serve api_server \(model) --backend pytorch --session-len \(window)"
  }
}
