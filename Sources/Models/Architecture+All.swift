extension Architecture {
  /// All known architectures.
  ///
  /// If several share a GGUF name, a GGUF file is read as the first one.
  public static let all: [Architecture] = [
    llama, mistral, ministral, phi3, phi3Vision, phi4MM, phi4Multimodal, phi3Small, phiMoE, miniCPM,
    miniCPM3, qwen2, qwen3, granite, graniteMoEHybrid, graniteMoE, apertus, smolLM3, olmo2,
    llamaEmbed, ministral3, graniteSWA, deci, step35,
  ]

  // MARK: Shared reasons for `unsupported`

  /// The runtime has no implementation of the architecture.
  static let lacksIt = "it lacks the family"
  /// The runtime runs the architecture only through code that the model brings.
  static let remoteCodeOnly = "only the model's remote code reads it"
  /// The runtime uses the implementation of transformers, which treats a whole batch alike.
  static let throughTransformers =
    "it runs the family through transformers' code, which chooses the table by the whole batch"

  /// The same architecture under another `model_type`.
  package func renamed(_ modelType: String, className: String?) -> Architecture {
    var copy = self
    copy.modelType = modelType
    copy.className = className
    return copy
  }
}
