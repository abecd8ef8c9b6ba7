/// A decoder, described: its sizes, its multipliers, its weights. Families differ in what they put here
/// (`Families/`); the forward pass is one for all.
public struct Transformer: Sendable {
  public internal(set) var path: String
  var shape: AttentionShape
  var embeddingScale: Float = 1
  /// (vocabulary, hidden)
  var embedding: Weight
  var layers: [Layer]
  /// Of what each half of a layer adds.
  var residualScale: Float = 1
  var finalNorm: Norm
  /// (vocabulary, hidden)
  var output: Projection
  var logitScale: Float = 1
  /// Tokens that are never predicted.
  var excludedTokens: [Int] = []
  /// Where a runtime computes the model otherwise: what it does to it, by the runtime's name.
  var variants: [String: @Sendable (inout Transformer) -> Void] = [:]

  var hidden: Int { embedding.columns }
  public var vocabulary: Int { output.weight.rows }

  struct Layer: Sendable {
    var attentionNorm: Norm
    var attention: SelfAttention
    var feedForwardNorm: Norm
    var feedForward: FeedForward
  }

  /// Opens the model at `path`, a folder or a GGUF file.
  /// - Throws: `VerifyError` for a family that cannot be run, or weights that are missing or misshaped.
  public init(path: String) throws {
    let source = try ModelSource(path: path)
    self = try Family.named(source).make(source)
    try source.refuseUnusedTensors()
  }

  init(
    path: String, shape: AttentionShape, embedding: Weight, layers: [Layer], finalNorm: Norm, output: Projection
  ) {
    self.path = path
    self.shape = shape
    self.embedding = embedding
    self.layers = layers
    self.finalNorm = finalNorm
    self.output = output
  }

  /// The model as a runtime computes it, and whether that is otherwise than its description.
  func followed(by runtime: String) -> (model: Transformer, isVariant: Bool) {
    guard let change = variants[runtime] else { return (self, false) }
    var model = self
    change(&model)
    return (model, true)
  }
}

/// The sizes that all layers' attention shares.
struct AttentionShape: Equatable, Sendable {
  var heads: Int
  var keyValueHeads: Int
  /// Of a query's and a key's head.
  var headDimension: Int
  var valueDimension: Int
  /// Where in a head the rotated dimensions begin.
  var rotaryOffset = 0
  /// Whether pairs are neighbours (2i, 2i + 1), as llama.cpp stores some families, or halves (i, i + d/2).
  var rotatesNeighbours = false
  /// Of the products of queries and keys.
  var scale: Float

  var queryWidth: Int { heads * headDimension }
  var keyWidth: Int { keyValueHeads * headDimension }
  var valueWidth: Int { keyValueHeads * valueDimension }
  var mixedWidth: Int { heads * valueDimension }
}

/// A linear map.
struct Projection: Sendable {
  var weight: Weight
  var bias: [Float]?
}

/// Over a row, or over each part of it that is as long as the weight.
struct Norm: Sendable {
  enum Kind { case rms, layer }

  var kind = Kind.rms
  var weight: [Float]
  var bias: [Float]?
  var epsilon: Float
}

struct SelfAttention: Sendable {
  enum Inputs: Sendable {
    case separate(query: Projection, key: Projection, value: Projection)
    /// One projection whose outputs are, for each key head, its queries, its key and its value.
    case grouped(Projection)
    case latent(Latent)
  }

  /// Multi-head latent attention: queries and keys come through narrow projections; the rotated part of the key is
  /// one for all heads.
  struct Latent: Sendable {
    var queryDown: Projection
    var queryNorm: Norm
    var queryUp: Projection
    /// To the latent and the rotated part.
    var keyValueDown: Projection
    var keyValueNorm: Norm
    /// For each head its unrotated key and its value.
    var keyValueUp: Projection
  }

  /// Which keys a query sees, itself and those before it.
  enum Pattern: Equatable, Sendable {
    case all
    /// Tokens reached back, the own one included.
    case window(Int)
    case blockSparse(BlockSparsity)
  }

  var inputs: Inputs
  /// Over each head, before the rotation.
  var queryNorm: Norm?
  var keyNorm: Norm?
  var output: Projection
  var pattern = Pattern.all
}

/// Blocks of keys that a head sees: the nearest ones, and every so many-th, shifted by the head.
struct BlockSparsity: Equatable, Sendable {
  var blockSize: Int
  var localBlocks: Int
  var stride: Int

  func sees(queryBlock: Int, keyBlock: Int, head: Int) -> Bool {
    keyBlock <= queryBlock && (queryBlock - keyBlock < localBlocks || (keyBlock + head + 1) % stride == 0)
  }
}

enum FeedForward: Sendable {
  /// down(silu(gate) * up)
  case gated(gate: Weight, up: Weight, down: Weight)
  /// down(gelu(even) * (odd + 1)) of one projection's even and odd outputs, both clipped.
  case gegelu(up: Projection, down: Projection, limit: Float)
  case experts(Experts)
}

/// A mixture of gated feed-forwards, of which each token takes a few.
struct Experts: Sendable {
  enum Routing: Equatable, Sendable {
    /// The greatest, then the greatest of the rest; each weighs its softmax among those near it.
    case sparseMixer(jitter: Float)
    /// Softmax over all, the greatest taken and made to sum to 1.
    case softmax
  }

  struct Expert: Sendable {
    var gate: Weight
    var up: Weight
    var down: Weight
  }

  var router: Weight
  var experts: [Expert]
  var used: Int
  var routing: Routing
}
