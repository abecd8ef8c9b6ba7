/// The programs that serve a patched model.
public enum Runtime: String, CaseIterable, Hashable, Sendable {
  case transformers5 = "hf"
  case transformers4 = "hf4"
  case vllm
  case sglang
  case mlx
  case llamaCpp = "llama.cpp"

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

  /// Those that read a model folder.
  public static let ofFolders: [Runtime] = [.transformers5, .transformers4, .vllm, .sglang, .mlx]

  static func list(_ runtimes: [Runtime]) -> String {
    runtimes.map(\.title).joined(separator: ", ")
  }

  /// What to pass so that the whole window is served.
  public func serving(window: Int, model path: String) -> String {
    let model = Self.quoted(path)
    return switch self {
    case .transformers5, .transformers4:
      "nothing: the window follows each input's length"
    case .vllm: "vllm serve \(model) --max-model-len \(window)"
    case .sglang: "python -m sglang.launch_server --model-path \(model) --context-length \(window)"
    case .mlx: "nothing: the long factors are always used"
    case .llamaCpp: "llama-server -m \(model) -c \(window)"
    }
  }

  /// The path as a shell takes it.
  private static func quoted(_ path: String) -> String {
    let isPlain = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+=:@%,".contains($0) }
    return isPlain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
  }
}
