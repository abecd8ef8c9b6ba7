/// A program that serves a patched model.
///
/// The raw value is its name on the command line.
public enum Runtime: String, CaseIterable, Hashable, Sendable {
  /// Hugging Face transformers 5.
  case transformers5 = "hf"
  /// Hugging Face transformers 4.
  case transformers4 = "hf4"
  /// vLLM.
  case vllm
  /// SGLang.
  case sglang
  /// MLX-LM.
  case mlx
  /// LMDeploy's PyTorch engine.
  case lmdeploy
  /// Models exported to OpenVINO by optimum-intel.
  case openVINO = "openvino"
  /// ExLlamaV3.
  case exllamaV3 = "exllamav3"
  /// mistral.rs.
  case mistralRS = "mistral.rs"
  /// ONNX Runtime GenAI, with its model builder.
  case ortGenAI = "ort-genai"
  /// CTranslate2, with its converter.
  case ctranslate2
  /// llama.cpp, which reads GGUF files only.
  case llamaCpp = "llama.cpp"
  /// The fork ik_llama.cpp, which reads GGUF files only.
  case ikLlamaCpp = "ik_llama.cpp"
  /// Ollama, which imports folders or GGUF files and runs them with llama.cpp.
  case ollama

  /// The name in messages and reports.
  public var title: String {
    switch self {
    case .transformers5: "transformers 5"
    case .transformers4: "transformers 4"
    case .vllm: "vLLM"
    case .sglang: "SGLang"
    case .mlx: "MLX-LM"
    case .lmdeploy: "LMDeploy"
    case .openVINO: "OpenVINO"
    case .exllamaV3: "ExLlamaV3"
    case .mistralRS: "mistral.rs"
    case .ortGenAI: "ONNX GenAI"
    case .ctranslate2: "CTranslate2"
    case .llamaCpp: "llama.cpp"
    case .ikLlamaCpp: "ik_llama.cpp"
    case .ollama: "Ollama"
    }
  }

  /// The runtime whose layers this one runs: itself, unless it is built on another.
  package var engine: Runtime {
    switch self {
    case .ikLlamaCpp, .ollama: .llamaCpp
    case .openVINO: .transformers5
    default: self
    }
  }

  /// The runtimes that read a model folder.
  public static let ofFolders = allCases.filter { ![.llamaCpp, .ikLlamaCpp].contains($0) }

  /// The runtimes that read a GGUF file.
  public static let ofFiles: [Runtime] = [.llamaCpp, .ikLlamaCpp, .ollama, .mistralRS]

  /// The titles of some runtimes, separated by commas.
  package static func list(_ runtimes: [Runtime]) -> String {
    runtimes.map(\.title).joined(separator: ", ")
  }
}
