import Models
package import Numerics

/// The description of a decoder: its sizes, its multipliers and its weights.
///
/// All architectures share one forward pass.
public struct Transformer: Sendable {
  /// The path of the model.
  public internal(set) var path: String
  package var shape: AttentionShape
  var embeddingScale: Float = 1
  package var embedding: Weight  // (vocabulary, hidden)
  package var layers: [Layer]
  /// The factor on the outputs of attention and of the feed-forward.
  var residualScale: Float = 1
  /// The factor on rotated queries by their position, or nil.
  var temperature: QueryTemperature?
  var finalNorm: Norm
  package var output: Projection  // (vocabulary, hidden)
  var logitScale: Float = 1
  /// Tokens that are never predicted.
  var excludedTokens: [Int] = []
  /// The departures of runtimes from the model, by the runtime's name.
  var variants: [String: Variant] = [:]

  package var hidden: Int { embedding.columns }
  /// The number of tokens in the vocabulary.
  public var vocabulary: Int { output.weight.rows }

  /// One decoder layer.
  ///
  /// It has either the norms before attention and the feed-forward, or the norms after them.
  package struct Layer: Sendable {
    var attentionNorm: Norm?
    var attention: SelfAttention
    var postAttentionNorm: Norm?
    var feedForwardNorm: Norm?
    var feedForward: FeedForward
    var postFeedForwardNorm: Norm?
  }

  package init(
    path: String, shape: AttentionShape, embedding: Weight, layers: [Layer], finalNorm: Norm,
    output: Projection
  ) {
    self.path = path
    self.shape = shape
    self.embedding = embedding
    self.layers = layers
    self.finalNorm = finalNorm
    self.output = output
  }
}

/// The sizes of attention, which all layers share.
package struct AttentionShape: Equatable, Sendable {
  var heads: Int
  var keyValueHeads: Int
  /// The width of a query or key head.
  var headDimension: Int
  /// The width of a value head.
  var valueDimension: Int
  /// The first rotated dimension in a head.
  var rotaryOffset = 0
  /// Whether pairs are (2i, 2i + 1), as llama.cpp stores some families, rather than (i, i + d/2).
  var isInterleaved = false
  /// The factor on the products of queries and keys.
  var scale: Float

  var queryWidth: Int { heads * headDimension }
  var keyWidth: Int { keyValueHeads * headDimension }
  var valueWidth: Int { keyValueHeads * valueDimension }
  var attendedWidth: Int { heads * valueDimension }
}

/// The attention of one layer.
package struct SelfAttention: Sendable {
  /// The projections of queries, keys and values.
  enum Inputs: Sendable {
    case separate(query: Projection, key: Projection, value: Projection)
    /// One projection. Its outputs are the queries, the key and the value of each key head in turn.
    case grouped(Projection)
    case latent(Latent)
  }

  /// Multi-head latent attention: queries and keys pass through low-rank projections, and all heads
  /// share the rotated part of the key.
  struct Latent: Sendable {
    var queryDown: Projection  // (query rank, hidden)
    var queryNorm: Norm
    var queryUp: Projection  // (heads * headDimension, query rank)
    /// The projection to the latent and the rotated part of the key: (rank + rotated, hidden).
    var keyValueDown: Projection
    var keyValueNorm: Norm
    /// The projection to the unrotated part of the key and the value of each head:
    /// (heads * (unrotated + valueDimension), rank).
    var keyValueUp: Projection
  }

  /// Which of the keys up to its own position a query sees.
  enum Pattern: Equatable, Sendable {
    case all
    /// The window size, including the query token.
    case window(Int)
    case blockSparse(BlockSparsity)
  }

  var inputs: Inputs
  /// Norms over each head, or over all heads together, before the rotation.
  var queryNorm: Norm?
  var keyNorm: Norm?
  var output: Projection
  var pattern = Pattern.all
  /// Whether the layer has a rotary embedding.
  var isRotated = true
}

/// The blocks of keys that a head sees: the nearest ones, and one in every `stride`, shifted by
/// head.
struct BlockSparsity: Equatable, Sendable {
  var blockSize: Int
  var localBlocks: Int
  var stride: Int

  func sees(queryBlock: Int, keyBlock: Int, head: Int) -> Bool {
    keyBlock <= queryBlock
      && (queryBlock - keyBlock < localBlocks || (keyBlock + head + 1) % stride == 0)
  }
}

/// The feed-forward of one layer.
enum FeedForward: Sendable {
  /// down(silu(gate) * up)
  case gated(gate: Weight, up: Weight, down: Weight)
  /// down(gelu(even) * (odd + 1)), with the even and odd outputs of `up`, both clipped.
  case gegelu(up: Projection, down: Projection, limit: Float)
  case experts(Experts)
}

/// A mixture of gated feed-forwards.
///
/// Each token uses a few of them.
struct Experts: Sendable {
  /// How the experts of a token are chosen and weighted.
  enum Routing: Equatable, Sendable {
    /// One after another, each weighted by its softmax among the close scores.
    case sparseMixer(jitter: Float)
    /// The greatest in a softmax over all experts, with weights that are rescaled to sum to 1.
    case softmax
  }

  struct Expert: Sendable {
    var gate: Weight
    var up: Weight
    var down: Weight
  }

  var router: Weight  // (experts, hidden)
  var experts: [Expert]
  /// The number of experts per token.
  var used: Int
  var routing: Routing
}
