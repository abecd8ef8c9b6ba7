/// What a runtime that knows only some architectures does with the factors of one of them.
///
/// specs/runtimes.md has the sources.
public enum FactorSupport: Equatable, Sendable {
  /// It computes with them.
  case computes
  /// It loads the model and drops them without a word.
  case ignores
  /// It does not load a model with factors; its message.
  case refuses(String)
}

extension FactorSupport {
  /// mistral.rs, whose Llama-like configs know these types only.
  static let unknownVariant = FactorSupport.refuses(
    "unknown variant `longrope`, expected one of `llama3`, `linear`, `default`")
  /// The model builder of ONNX Runtime GenAI.
  static let unsupportedStyle = FactorSupport.refuses(
    "NotImplementedError: The longrope RoPE style is not currently supported.")
}

extension [Runtime: FactorSupport] {
  /// What is the same for most Llama-like architectures with a class of their own in each runtime.
  static let ofLlamaLike: Self = [
    .lmdeploy: .computes, .openVINO: .computes, .exllamaV3: .computes, .ollama: .ignores,
    .ctranslate2: .refuses(
      "ValueError: Some required model attributes are not set: rotary_scaling_long_factor"),
    .ortGenAI: .unsupportedStyle,
  ]

  /// These and others, which count.
  func and(_ others: Self) -> Self { merging(others) { $1 } }
}
