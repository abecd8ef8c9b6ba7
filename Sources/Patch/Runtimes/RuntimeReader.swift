public import Models

/// The behaviour of one runtime: how it reads rotary embeddings, and how it is started.
///
/// specs/runtimes.md has the sources. A new runtime needs a case in `Runtime`, a type that conforms
/// to this protocol, and a line in `Runtime.reader`.
protocol RuntimeReader: Sendable {
  var runtime: Runtime { get }

  /// What the runtime makes of the config of a model folder.
  /// - Throws: `RuntimeRefusal` with the runtime's error if it does not load the model.
  func read(_ config: FolderConfig) throws(RuntimeRefusal) -> RuntimeReading

  /// What the runtime makes of a GGUF file.
  func read(_ model: GGUFModel) -> RuntimeReading

  /// What the runtime makes of a GGUF file once it has the factors.
  /// - Parameter paper: the tables that the file then has.
  func read(
    _ model: GGUFModel, patchedLike paper: RuntimeReading, _ factors: ModelFactors
  ) -> RuntimeReading

  /// How the runtime divides a long prompt.
  var prefill: PrefillChunks { get }

  /// Whether the runtime computes a different attention scale from that of the factors, however it
  /// is written. Only used for scales that are not the derived value.
  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool

  /// The command or option that serves the whole window.
  /// - Parameter model: the path, quoted for a shell.
  func serving(window: Int, model: String) -> String
}

/// The error of a runtime that does not load a model.
struct RuntimeRefusal: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

extension RuntimeReader {
  func read(_ model: GGUFModel) -> RuntimeReading { .unsupported(runtime, "reads folders only") }

  func read(
    _ model: GGUFModel, patchedLike paper: RuntimeReading, _ factors: ModelFactors
  ) -> RuntimeReading {
    .unsupported(runtime, "reads folders only")
  }

  func changesMscale(of factors: ModelFactors, in architecture: Architecture) -> Bool { false }
}

extension Runtime {
  /// The behaviour of this runtime.
  var reader: any RuntimeReader {
    switch self {
    case .transformers5: Transformers5()
    case .transformers4: Transformers4()
    case .vllm: VLLM()
    case .sglang: SGLang()
    case .mlx: MLXLM()
    case .lmdeploy: LMDeploy()
    case .openVINO: OpenVINO()
    case .exllamaV3: ExLlamaV3()
    case .mistralRS: MistralRS()
    case .ortGenAI: OrtGenAI()
    case .ctranslate2: CTranslate2()
    case .llamaCpp: LlamaCpp()
    case .ikLlamaCpp: IkLlamaCpp()
    case .ollama: Ollama()
    }
  }

  /// What the runtime makes of a model folder.
  func read(_ config: FolderConfig) -> RuntimeReading {
    if let reason = config.architecture.unsupported[self] { return .unsupported(self, reason) }
    do { return try reader.read(config) } catch {
      return .failure(self, error.message)
    }
  }

  /// The command or option that serves the whole window.
  public func serving(window: Int, model path: String) -> String {
    reader.serving(window: window, model: path.shellQuoted)
  }
}
