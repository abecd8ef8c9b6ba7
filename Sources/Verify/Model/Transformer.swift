import Glibc

/// A decoder of the Llama shape, described: its sizes, its multipliers, its weights. Families differ in what they put
/// here (`Transformer+Families.swift`); the forward pass is one for all.
public struct Transformer: Sendable {
  struct Layer: Sendable {
    var attentionNorm: [Float]
    var query: Weight
    var key: Weight
    var value: Weight
    var queryBias: [Float]?
    var keyBias: [Float]?
    var valueBias: [Float]?
    /// Over each head, before the rotation.
    var queryNorm: [Float]?
    var keyNorm: [Float]?
    var attentionOutput: Weight
    var feedForwardNorm: [Float]
    var gate: Weight
    var up: Weight
    var down: Weight
  }

  public internal(set) var path: String
  var hidden: Int
  var heads: Int
  var keyValueHeads: Int
  var headDimension: Int
  var epsilon: Float
  /// Whether pairs are neighbours (2i, 2i + 1), as llama.cpp stores some families, or halves (i, i + d/2).
  var rotatesNeighbours = false
  /// Tokens that attention reaches back, the own one included; nil for all.
  var slidingWindow: Int?
  var embeddingScale: Float = 1
  /// Of what each half of a layer adds.
  var residualScale: Float = 1
  /// Of the products of queries and keys.
  var attentionScale: Float
  var logitScale: Float = 1
  /// (vocabulary, hidden)
  var embedding: Weight
  var layers: [Layer]
  var finalNorm: [Float]
  /// (vocabulary, hidden)
  var output: Weight

  public var vocabulary: Int { output.rows }

  /// Opens the model at `path`, a folder or a GGUF file.
  /// - Throws: `VerifyError` for a family that cannot be run, or weights that are missing or misshaped.
  public init(path: String) throws {
    self = try Self.make(ModelSource(path: path))
  }

  init(
    _ source: ModelSource, embedding: Weight, output: Weight, layers: [Layer], finalNorm: [Float], sizes: Sizes
  ) {
    path = source.path
    hidden = sizes.hidden
    heads = sizes.heads
    keyValueHeads = sizes.keyValueHeads
    headDimension = sizes.headDimension
    epsilon = sizes.epsilon
    attentionScale = 1 / Float(sizes.headDimension).squareRoot()
    self.embedding = embedding
    self.output = output
    self.layers = layers
    self.finalNorm = finalNorm
  }

  /// The numbers that every family names alike.
  struct Sizes {
    var layers: Int
    var hidden: Int
    var feedForward: Int
    var vocabulary: Int
    var heads: Int
    var keyValueHeads: Int
    var headDimension: Int
    var epsilon: Float

    var queryWidth: Int { heads * headDimension }
    var keyWidth: Int { keyValueHeads * headDimension }

    init(_ source: ModelSource, vocabulary: Int) throws {
      self.vocabulary = vocabulary
      layers = try source.integer("num_hidden_layers", "block_count")
      hidden = try source.integer("hidden_size", "embedding_length")
      feedForward = try source.integer("intermediate_size", "feed_forward_length")
      heads = try source.integer("num_attention_heads", "attention.head_count")
      let groups = source.number("num_key_value_heads", "attention.head_count_kv")
      keyValueHeads = groups.flatMap { Int(exactly: $0) } ?? heads
      let explicit = source.number("head_dim", "attention.key_length")
      headDimension = explicit.flatMap { Int(exactly: $0) } ?? hidden / heads
      epsilon = Float(source.number("rms_norm_eps", "attention.layer_norm_rms_epsilon") ?? 1e-6)
      guard keyValueHeads > 0, heads % keyValueHeads == 0, headDimension > 0, headDimension % 2 == 0 else {
        throw VerifyError(
          source.path,
          "\(heads) heads, \(keyValueHeads) key heads and head dimension \(headDimension) do not go together")
      }
    }
  }
}
