import Formats
import Models

/// The members of MiniCPM's config from which its multipliers are derived.
struct DepthScaling {
  let embedding: Double
  let depth: Double
  let base: Double
  private let layers: Double
  private let hidden: Double

  init(_ given: Hyperparameters) throws(ModelError) {
    embedding = try given.number(.embeddingScale)
    depth = try given.number(.depthScale)
    base = try given.number(.baseWidth)
    layers = Double(try given.count(.layers))
    hidden = Double(try given.count(.hidden))
  }

  /// Whether they equal those of the published MiniCPM3-4B, which llama.cpp uses for every model.
  var isPublished: Bool {
    let published = DecoderLayer.publishedDepthScaling
    return embedding == published.embedding && depth == published.depth && base == published.base
  }

  /// The multipliers as GGUF keys.
  func keys(_ prefix: String) -> [GGUFKey] {
    [
      GGUFKey("\(prefix).embedding_scale", .float32(Float(embedding))),
      GGUFKey("\(prefix).residual_scale", .float32(Float(depth / layers.squareRoot()))),
      GGUFKey("\(prefix).logit_scale", .float32(Float(hidden / base))),
    ]
  }
}
