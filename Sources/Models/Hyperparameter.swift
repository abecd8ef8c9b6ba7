/// A number in the description of a model: its member in config.json, its key in a GGUF file, and
/// what its absence means.
public struct Hyperparameter: Sendable {
  /// The meaning of the number.
  ///
  /// An architecture that needs another quantity adds it in its file.
  public struct Quantity: Hashable, Sendable {
    package let name: String

    package init(_ name: String) { self.name = name }
  }

  /// A whole number or a real number.
  public enum Kind: Sendable { case count, number }

  /// What it means if a model does not contain the number.
  public enum Absence: Sendable {
    /// The model is invalid.
    case required
    /// The number is derived from others, or the feature is absent.
    case none
    /// The number has this value.
    case value(Double)
    /// The number follows from others.
    case computed(@Sendable (Hyperparameters) throws(ModelError) -> Double)
  }

  /// The meaning of the number.
  public let quantity: Quantity
  /// The member of config.json, or nil if a config does not store the number.
  public let config: String?
  /// The key without the architecture's prefix, or nil if a GGUF file does not store the number.
  public let gguf: String?
  /// A whole number or a real number.
  public let kind: Kind
  /// What it means if a config does not contain the number.
  public let absence: Absence
  /// What it means if a GGUF file does not contain the number.
  public let ggufAbsence: Absence
  /// What 0 in a GGUF file means, or nil if it means 0.
  public let ggufZero: Absence?

  package init(
    _ quantity: Quantity, config: String? = nil, gguf: String? = nil, _ kind: Kind = .count,
    absent absence: Absence = .required, gguf ggufAbsence: Absence? = nil,
    ggufZero: Absence? = nil
  ) {
    self.quantity = quantity
    self.config = config
    self.gguf = gguf
    self.kind = kind
    self.absence = absence
    self.ggufAbsence = ggufAbsence ?? absence
    self.ggufZero = ggufZero
  }
}

extension Hyperparameter.Quantity {
  /// Decoder layers.
  public static let layers = Self("layers")
  /// The width of a hidden state.
  public static let hidden = Self("hidden")
  /// The width between the projections of the feed-forward.
  public static let feedForward = Self("feedForward")
  /// Query heads.
  public static let heads = Self("heads")
  /// Key and value heads.
  public static let keyValueHeads = Self("keyValueHeads")
  /// The constant that a norm adds to the variance.
  public static let epsilon = Self("epsilon")
  /// Tokens in the vocabulary.
  public static let vocabulary = Self("vocabulary")
  /// Rotated dimensions of a head.
  public static let rotaryDimensions = Self("rotaryDimensions")
  /// The width of a query or key head.
  public static let headDimension = Self("headDimension")
  /// The width of a value head.
  public static let valueDimension = Self("valueDimension")
  /// The size of the sliding window, in tokens.
  public static let slidingWindow = Self("slidingWindow")
  /// Experts in a layer.
  public static let experts = Self("experts")
  /// Experts that each token uses.
  public static let expertsPerToken = Self("expertsPerToken")
  /// SparseMixer's jitter: half the relative distance within which scores count as close.
  public static let routerJitter = Self("routerJitter")
  /// The factor on embeddings.
  public static let embeddingMultiplier = Self("embeddingMultiplier")
  /// The factor on what a layer adds to the hidden state.
  public static let residualMultiplier = Self("residualMultiplier")
  /// The factor on attention scores.
  public static let attentionMultiplier = Self("attentionMultiplier")
  /// The divisor of logits.
  public static let logitDivisor = Self("logitDivisor")
  /// The rank of the query projections in latent attention.
  public static let queryRank = Self("queryRank")
  /// The rank of the key and value projections in latent attention.
  public static let keyValueRank = Self("keyValueRank")
  /// Dimensions of a query or key head that latent attention does not rotate.
  public static let unrotatedDimension = Self("unrotatedDimension")
  /// MiniCPM's `scale_emb`.
  public static let embeddingScale = Self("embeddingScale")
  /// MiniCPM's `scale_depth`.
  public static let depthScale = Self("depthScale")
  /// MiniCPM's `dim_model_base`.
  public static let baseWidth = Self("baseWidth")
}

extension Hyperparameter {
  /// The hyperparameters that almost every architecture has.
  package static let common: [Hyperparameter] = [
    .init(.layers, config: "num_hidden_layers", gguf: "block_count"),
    .init(.hidden, config: "hidden_size", gguf: "embedding_length"),
    .init(.feedForward, config: "intermediate_size", gguf: "feed_forward_length"),
    .init(.heads, config: "num_attention_heads", gguf: "attention.head_count"),
    .init(
      .keyValueHeads, config: "num_key_value_heads", gguf: "attention.head_count_kv", absent: .none),
    .init(.epsilon, config: "rms_norm_eps", gguf: "attention.layer_norm_rms_epsilon", .number),
  ]

  package static let vocabulary = Hyperparameter(
    .vocabulary, config: "vocab_size", gguf: "vocab_size", absent: .none)
  /// Not stored in a config as such: `RopeGeometry` derives it from several members.
  package static let rotaryDimensions = Hyperparameter(
    .rotaryDimensions, gguf: "rope.dimension_count", absent: .none)
  package static let headDimension = Hyperparameter(
    .headDimension, config: "head_dim", gguf: "attention.key_length", absent: .none)
  static let headSizes = [
    headDimension,
    Hyperparameter(
      .valueDimension, config: "head_dim", gguf: "attention.value_length", absent: .none),
  ]
  /// A head size that the config may contain but llama.cpp derives.
  static let configHeadDimension = Hyperparameter(.headDimension, config: "head_dim", absent: .none)
  package static let slidingWindow = Hyperparameter(
    .slidingWindow, config: "sliding_window", gguf: "attention.sliding_window", absent: .none)
}
