import Formats
import Models

/// Ollama, which imports a folder or a GGUF file and runs it with llama.cpp.
struct Ollama: EngineReader {
  let runtime = Runtime.ollama
  let prefill = PrefillChunks(512, option: "num_batch")

  /// The option that sets the context.
  private static let option = "num_ctx"

  /// What its importer writes for Phi-3, as llama.cpp runs it.
  func longRoPE(
    _ scaling: JSONValue, in config: FolderConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    guard let scaling = config.object("rope_scaling"), let type = scaling["type"]?.text else {
      throw RuntimeRefusal("it reads 'rope_scaling' with 'type' only")
    }
    guard ["longrope", "su"].contains(type) else {
      throw RuntimeRefusal("panic: unknown rope scaling type")
    }
    guard config.partial(scaling) == 1 else {
      return .unsupported(
        runtime,
        "its importer ignores partial_rotary_factor, and llama.cpp refuses the lists; import a GGUF file"
      )
    }
    let original = try config.required("original_max_position_embeddings").integer ?? config.window
    let theta = try config.required(config.architecture.rope.thetaKey).double ?? config.topTheta()
    var reading = try config.reading(
      runtime, scaling, original: original, theta: theta, partial: 1)
    let isLong = config.window.roundedUp(to: LlamaCpp.contextUnit) > original
    let used = isLong ? reading.long : reading.short
    (reading.long, reading.short) = (used, used)
    reading.switching = LlamaCpp.switching(Self.option, original)
    return reading
  }

  /// The file is copied as it is.
  func read(_ model: GGUFModel) -> RuntimeReading {
    LlamaCpp.read(model, as: runtime, option: Self.option)
  }

  func read(
    _ model: GGUFModel, patchedLike paper: RuntimeReading, _ factors: ModelFactors
  ) -> RuntimeReading {
    LlamaCpp.read(patchedLike: paper, factors, as: runtime, option: Self.option)
  }

  func serving(window: Int, model: String) -> String { "OLLAMA_CONTEXT_LENGTH=\(window)" }
}
