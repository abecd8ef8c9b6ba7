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
    let model = path.shellQuoted
    return switch self {
    case .transformers5, .transformers4:
      "nothing: the window follows each input's length"
    case .vllm: "vllm serve \(model) --max-model-len \(window)"
    case .sglang: "python -m sglang.launch_server --model-path \(model) --context-length \(window)"
    case .mlx: "nothing: the long factors are always used"
    case .llamaCpp: "llama-server -m \(model) -c \(window)"
    }
  }
}

extension String {
  /// The text as a shell takes it.
  package var shellQuoted: String {
    let plain = Set("/._-+=:@%,".unicodeScalars)
    let isPlain =
      !isEmpty
      && unicodeScalars.allSatisfy { plain.contains($0) || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
    if isPlain { return self }
    // By scalars: a mark that combines with a quote would hide it.
    let quoted = unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined()
    return "'\(quoted)'"
  }
}
