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
  /// llama.cpp, which reads GGUF files only.
  case llamaCpp = "llama.cpp"

  /// The name in messages and reports.
  public var title: String {
    switch self {
    case .transformers5: "transformers 5"
    case .transformers4: "transformers 4"
    case .vllm: "vLLM"
    case .sglang: "SGLang"
    case .mlx: "MLX-LM"
    case .llamaCpp: "llama.cpp"
    }
  }

  /// The runtimes that read a model folder.
  public static let ofFolders: [Runtime] = [.transformers5, .transformers4, .vllm, .sglang, .mlx]

  /// The titles of some runtimes, separated by commas.
  package static func list(_ runtimes: [Runtime]) -> String {
    runtimes.map(\.title).joined(separator: ", ")
  }
}
