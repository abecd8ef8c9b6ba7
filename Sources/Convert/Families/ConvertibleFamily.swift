import Patch
import Verify

/// A model family as both formats know it.
struct ConvertibleFamily: Sendable {
  /// The config's `model_type`, and the class in `architectures`.
  var modelType: String
  var className: String
  /// `general.architecture`
  var gguf: String
  /// What each layer has.
  var parts: [TensorName.Part]
  /// Whether llama.cpp stores the rows of q and k with the two dimensions of a pair as neighbours.
  var turnsNeighbours = false
  var hyperparameters: [Hyperparameter]

  private static let separate: [TensorName.Part] = [
    .attentionNorm, .query, .key, .value, .attentionOutput, .feedForwardNorm, .gate, .up, .down,
  ]
  private static let fused: [TensorName.Part] = [
    .attentionNorm, .fusedQKV, .attentionOutput, .feedForwardNorm, .fusedGateUp, .down,
  ]
  private static let latent: [TensorName.Part] = [
    .attentionNorm, .queryDown, .queryDownNorm, .queryUp, .keyValueDown, .keyValueDownNorm, .keyValueUp,
    .attentionOutput, .feedForwardNorm, .gate, .up, .down,
  ]

  /// The first of those with one `general.architecture` is what a GGUF file of it becomes.
  static let all: [ConvertibleFamily] = [
    .init(
      modelType: "llama", className: "LlamaForCausalLM", gguf: "llama", parts: separate, turnsNeighbours: true,
      hyperparameters: Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.headSizes),
    .init(
      modelType: "mistral", className: "MistralForCausalLM", gguf: "llama", parts: separate, turnsNeighbours: true,
      hyperparameters: Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.headSizes),
    .init(
      modelType: "phi3", className: "Phi3ForCausalLM", gguf: "phi3", parts: fused,
      hyperparameters: Hyperparameter.common + [.rotaryDimensions, .slidingWindow]),
    .init(
      modelType: "phimoe", className: "PhimoeForCausalLM", gguf: "phimoe",
      parts: [
        .attentionNorm, .query, .key, .value, .attentionOutput, .feedForwardNorm, .router, .expertGates, .expertDowns,
        .expertUps,
      ],
      hyperparameters: Hyperparameter.common + [.rotaryDimensions, .slidingWindow] + Hyperparameter.experts),
    .init(
      modelType: "qwen2", className: "Qwen2ForCausalLM", gguf: "qwen2", parts: separate,
      hyperparameters: Hyperparameter.common + Hyperparameter.headSizes),
    .init(
      modelType: "qwen3", className: "Qwen3ForCausalLM", gguf: "qwen3",
      parts: separate + [.queryNorm, .keyNorm],
      hyperparameters: Hyperparameter.common + Hyperparameter.headSizes),
    .init(
      modelType: "granite", className: "GraniteForCausalLM", gguf: "granite", parts: separate, turnsNeighbours: true,
      hyperparameters: Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.multipliers),
    .init(
      modelType: "minicpm", className: "MiniCPMForCausalLM", gguf: "minicpm", parts: separate, turnsNeighbours: true,
      hyperparameters: Hyperparameter.common + Hyperparameter.headSizes),
    .init(
      modelType: "minicpm3", className: "MiniCPM3ForCausalLM", gguf: "minicpm3", parts: latent,
      hyperparameters: Hyperparameter.common + [.vocabulary, .rotaryDimensions] + Hyperparameter.latent),
  ]

  static func named(_ modelType: String, subject: String) throws(PatchError) -> ConvertibleFamily {
    guard let family = all.first(where: { $0.modelType == modelType }) else {
      let names = all.map(\.modelType).joined(separator: ", ")
      throw .unsupported(
        subject, "models of the family '\(modelType)' cannot be converted to GGUF; those that can: \(names)")
    }
    return family
  }

  static func named(architecture: String, subject: String) throws(PatchError) -> ConvertibleFamily {
    guard let family = all.first(where: { $0.gguf == architecture }) else {
      let names = Set(all.map(\.gguf)).sorted().joined(separator: ", ")
      throw .unsupported(
        subject,
        "models of the architecture '\(architecture)' cannot be converted to a folder; those that can: \(names)")
    }
    return family
  }

  var takesFactors: Bool { GGUFArchitecture.all.contains { $0.name == gguf } }
}

/// A number that config.json and a GGUF file's keys both have.
struct Hyperparameter: Sendable {
  enum Kind: Sendable { case count, number }

  var config: String
  /// After the architecture's prefix.
  var key: String
  var kind = Kind.count
  var isRequired = true

  static let common: [Hyperparameter] = [
    .init(config: "num_hidden_layers", key: "block_count"),
    .init(config: "hidden_size", key: "embedding_length"),
    .init(config: "intermediate_size", key: "feed_forward_length"),
    .init(config: "num_attention_heads", key: "attention.head_count"),
    .init(config: "num_key_value_heads", key: "attention.head_count_kv", isRequired: false),
    .init(config: "rms_norm_eps", key: "attention.layer_norm_rms_epsilon", kind: .number),
  ]
  static let vocabulary = Hyperparameter(config: "vocab_size", key: "vocab_size")
  static let headSizes: [Hyperparameter] = [
    .init(config: "head_dim", key: "attention.key_length", isRequired: false),
    .init(config: "head_dim", key: "attention.value_length", isRequired: false),
  ]
  static let experts: [Hyperparameter] = [
    .init(config: "num_local_experts", key: "expert_count"),
    .init(config: "num_experts_per_tok", key: "expert_used_count"),
  ]
  static let multipliers: [Hyperparameter] = [
    .init(config: "attention_multiplier", key: "attention.scale", kind: .number, isRequired: false),
    .init(config: "embedding_multiplier", key: "embedding_scale", kind: .number, isRequired: false),
    .init(config: "residual_multiplier", key: "residual_scale", kind: .number, isRequired: false),
    .init(config: "logits_scaling", key: "logit_scale", kind: .number, isRequired: false),
  ]
  static let latent: [Hyperparameter] = [
    .init(config: "q_lora_rank", key: "attention.q_lora_rank"),
    .init(config: "kv_lora_rank", key: "attention.kv_lora_rank"),
  ]
  /// Of the geometry, which knows them from several members.
  static let rotaryDimensions = Hyperparameter(config: "", key: "rope.dimension_count")
  /// 0 where the config has none: llama.cpp tells Phi-4 from the others by it.
  static let slidingWindow = Hyperparameter(
    config: "sliding_window", key: "attention.sliding_window", isRequired: false)
}
