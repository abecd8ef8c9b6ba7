/// A model family by its Hugging Face `model_type`, as far as rotary embeddings are concerned.
public struct Architecture: Equatable, Sendable {
  /// The part of each head that is rotated.
  public enum Rotary: Equatable, Sendable {
    /// `head_dim` (or hidden_size / num_attention_heads) times `partial_rotary_factor`.
    case head
    /// Multi-head latent attention: `qk_rope_head_dim`.
    case latent
  }

  public var modelType: String
  public var rotary = Rotary.head
  /// The config's name for the RoPE base.
  public var thetaKey = "rope_theta"
  /// The base where the config names none.
  public var defaultTheta = 10_000.0
  /// The value that a missing `sliding_window` means.
  public var defaultSlidingWindow: Int?
  /// Whether `sliding_window` limits every layer whenever it is set, without a switch of its own.
  public var slidesUnconditionally = false
  /// Whether readers demand `short_mscale` and `long_mscale` even where they could be derived.
  public var requiresMscales = false
  /// Whether transformers 4 refuses a `rope_scaling` with any key but `type`, `short_factor` and `long_factor`.
  public var takesThreeKeysOnly = false
  /// Whether transformers 4 needs `head_dim` said, since the config class sets it to null.
  public var needsHeadDimension = false
  /// Whether only the model's own remote code implements its LongRoPE.
  public var isRemoteCode = false
  /// Runtimes that do not read LongRoPE for this family at all, with the reason.
  public var unsupported: [Runtime: String] = [:]

  /// Every family that can carry LongRoPE.
  public static let all: [Architecture] = [
    .init(modelType: "llama"),
    .init(
      modelType: "mistral", defaultSlidingWindow: 4096, slidesUnconditionally: true,
      needsHeadDimension: true),
    .init(
      modelType: "ministral", slidesUnconditionally: true,
      unsupported: [.transformers4: "it lacks the family", .mlx: "it lacks the family"]),
    .init(modelType: "phi3", slidesUnconditionally: true, takesThreeKeysOnly: true),
    .init(
      modelType: "phi3_v", slidesUnconditionally: true, isRemoteCode: true,
      unsupported: [
        .transformers4: "only the model's remote code reads it",
        .transformers5: "only the model's remote code reads it",
        .mlx: "it lacks the family",
      ]),
    .init(
      modelType: "phi4mm", slidesUnconditionally: true, isRemoteCode: true,
      unsupported: [
        .transformers4: "only the model's remote code reads it",
        .transformers5: "only the model's remote code reads it",
        .mlx: "it lacks the family",
      ]),
    .init(
      modelType: "phi4_multimodal", slidesUnconditionally: true,
      unsupported: [.mlx: "it lacks the family", .sglang: "it lacks the family"]),
    .init(
      modelType: "phi3small", thetaKey: "rope_embedding_base", defaultTheta: 1_000_000,
      requiresMscales: true, isRemoteCode: true,
      unsupported: [
        .transformers4: "only the model's remote code reads it",
        .transformers5: "only the model's remote code reads it",
        .vllm: "it dropped the family",
        .sglang: "it lacks the family",
        .mlx: "its phi3small ignores rope_scaling",
      ]),
    .init(
      modelType: "phimoe", defaultTheta: 1_000_000, slidesUnconditionally: true,
      requiresMscales: true),
    .init(
      modelType: "minicpm", isRemoteCode: true,
      unsupported: [
        .transformers4: "only the model's remote code reads it",
        .transformers5: "only the model's remote code reads it",
      ]),
    .init(
      modelType: "minicpm3", rotary: .latent,
      unsupported: [.transformers4: "only the model's remote code reads it"]),
    .init(modelType: "qwen2"),
    .init(modelType: "qwen3"),
    .init(modelType: "granite"),
    .init(modelType: "granitemoe"),
    .init(modelType: "apertus", unsupported: [.sglang: "it lacks the family"]),
  ]

  /// Whether MLX-LM's class for this family has no partial rotary embedding.
  var ignoresPartialRotaryInMLX: Bool {
    unsupported[.mlx] == nil && rotary == .head && modelType != "phi3"
  }

  /// - Throws: `PatchError` naming the families that can.
  public static func named(_ modelType: String, subject: String) throws(PatchError) -> Architecture {
    guard let found = all.first(where: { $0.modelType == modelType }) else {
      let names = all.map(\.modelType).joined(separator: ", ")
      throw .unsupported(
        subject,
        "model_type '\(modelType)' takes no LongRoPE factors here; the families that do: \(names)")
    }
    return found
  }
}
