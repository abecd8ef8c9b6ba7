import Formats
import Models

/// CTranslate2, whose converter fails for every architecture with factors.
struct CTranslate2: EngineReader {
  let runtime = Runtime.ctranslate2
  let prefill = PrefillChunks(nil, option: "sliding_window")

  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    .unsupported(runtime, "its converter reads no factors")
  }

  func serving(window: Int, model: String) -> String { "" }
}
