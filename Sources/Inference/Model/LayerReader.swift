import Models
import Numerics

/// Reads the weights of one layer as described by `DecoderLayer`.
struct LayerReader {
  let weights: WeightReader
  let decoder: DecoderLayer
  let sizes: Sizes
  let index: Int

  func layer() throws -> Transformer.Layer {
    Transformer.Layer(
      attentionNorm: try norm(before: .attentionNorm, sizes.hidden),
      attention: try attention(),
      postAttentionNorm: try norm(after: .postAttentionNorm, sizes.hidden),
      feedForwardNorm: try norm(before: .feedForwardNorm, sizes.hidden),
      feedForward: try feedForward(),
      postFeedForwardNorm: try norm(after: .postFeedForwardNorm, sizes.hidden))
  }

  // MARK: Attention

  private func attention() throws -> SelfAttention {
    let outputs = sizes.heads * sizes.valueDimension
    var attention = SelfAttention(
      inputs: try inputs(), output: try projection(.attentionOutput, sizes.hidden, outputs))
    switch decoder.headNorms {
    case .none: break
    case .perHead:
      attention.queryNorm = try norm(.queryNorm, sizes.headDimension)
      attention.keyNorm = try norm(.keyNorm, sizes.headDimension)
    case .whole:
      attention.queryNorm = try norm(.queryNorm, sizes.queryWidth)
      attention.keyNorm = try norm(.keyNorm, sizes.keyWidth)
    }
    return attention
  }

  private func inputs() throws -> SelfAttention.Inputs {
    let (q, k, hidden) = (sizes.queryWidth, sizes.keyWidth, sizes.hidden)
    switch decoder.attention {
    case .separate:
      return .separate(
        query: try projection(.query, q, hidden), key: try projection(.key, k, hidden),
        value: try projection(.value, k, hidden))
    case .fused:
      let fused = try projection(.fusedQKV, q + 2 * k, hidden)
      return .separate(
        query: fused.part(0..<q), key: fused.part(q..<q + k),
        value: fused.part(q + k..<q + 2 * k))
    case .grouped: return .grouped(try projection(.groupedQKV, q + 2 * k, hidden))
    case .latent: return .latent(try latent())
    }
  }

  /// The epsilon in the norms of the latents, in the published code and in transformers.
  private static let latentEpsilon: Float = 1e-6

  private func latent() throws -> SelfAttention.Latent {
    let given = weights.model.hyperparameters
    let (queryRank, keyValueRank) = (try given.count(.queryRank), try given.count(.keyValueRank))
    let rotated = sizes.headDimension - sizes.rotaryOffset
    var queryNorm = try norm(.queryDownNorm, queryRank)
    var keyValueNorm = try norm(.keyValueDownNorm, keyValueRank)
    queryNorm.epsilon = Self.latentEpsilon
    keyValueNorm.epsilon = Self.latentEpsilon
    return SelfAttention.Latent(
      queryDown: try projection(.queryDown, queryRank, sizes.hidden),
      queryNorm: queryNorm,
      queryUp: try projection(.queryUp, sizes.queryWidth, queryRank),
      keyValueDown: try projection(.keyValueDown, keyValueRank + rotated, sizes.hidden),
      keyValueNorm: keyValueNorm,
      keyValueUp: try projection(
        .keyValueUp, sizes.heads * (sizes.rotaryOffset + sizes.valueDimension), keyValueRank))
  }

  // MARK: Feed-forward

  private func feedForward() throws -> FeedForward {
    let (f, hidden) = (sizes.feedForward, sizes.hidden)
    switch decoder.feedForward {
    case .gated:
      return .gated(
        gate: try matrix(.gate, f, hidden), up: try matrix(.up, f, hidden),
        down: try matrix(.down, hidden, f))
    case .fusedGateUp:
      let fused = try matrix(.fusedGateUp, 2 * f, hidden)
      return .gated(
        gate: fused.part(0..<f), up: fused.part(f..<2 * f), down: try matrix(.down, hidden, f))
    case .gegelu:
      let given = weights.model.hyperparameters
      let limit = given.isNull(.geluLimit) ? .infinity : try given.number(.geluLimit)
      return .gegelu(
        up: try projection(.interleavedUp, 2 * f, hidden), down: try projection(.down, hidden, f),
        limit: Float(limit))
    case .experts: return .experts(try experts())
    }
  }

  private func experts() throws -> Experts {
    let given = weights.model.hyperparameters
    let (count, used) = (try given.count(.experts), try given.count(.expertsPerToken))
    guard used == 2, used <= count, count <= weights.tensorCount || count <= 4096 else {
      throw ModelError.unsupported(
        weights.model.path, "each token uses \(used) of \(count) experts, expected 2")
    }
    let jitter = try given.optionalNumber(.routerJitter) ?? 0
    return Experts(
      router: try matrix(.router, count, sizes.hidden), experts: try expertMatrices(count),
      used: used, routing: .sparseMixer(jitter: Float(jitter)))
  }

  /// The matrices of all experts.
  ///
  /// A folder has one tensor per expert, a GGUF file one for all experts.
  private func expertMatrices(_ count: Int) throws -> [Experts.Expert] {
    let (f, hidden) = (sizes.feedForward, sizes.hidden)
    func matrices(_ role: LayerRole, _ rows: Int, _ columns: Int) throws -> [Weight] {
      switch weights.model.format {
      case .folder: try (role.experts(count) ?? []).map { try matrix($0, rows, columns) }
      case .gguf: try weights.stack(.layer(index, role), count, rows: rows, columns: columns)
      }
    }
    let gates = try matrices(.expertGates, f, hidden)
    let ups = try matrices(.expertUps, f, hidden)
    let downs = try matrices(.expertDowns, hidden, f)
    return (0..<count).map { Experts.Expert(gate: gates[$0], up: ups[$0], down: downs[$0]) }
  }

  // MARK: Tensors

  private func matrix(_ role: LayerRole, _ rows: Int, _ columns: Int) throws -> Weight {
    try weights.matrix(.layer(index, role), rows: rows, columns: columns)
  }

  /// A projection, with a bias if the model has one.
  private func projection(_ role: LayerRole, _ rows: Int, _ columns: Int) throws -> Projection {
    Projection(
      weight: try matrix(role, rows, columns),
      bias: try weights.bias(.layer(index, role), count: rows))
  }

  private func norm(_ role: LayerRole, _ count: Int) throws -> Norm {
    try weights.norm(.layer(index, role), count, decoder, sizes)
  }

  private func norm(before role: LayerRole, _ count: Int) throws -> Norm? {
    decoder.normPlacement == .before ? try norm(role, count) : nil
  }

  private func norm(after role: LayerRole, _ count: Int) throws -> Norm? {
    decoder.normPlacement == .after ? try norm(role, count) : nil
  }
}

extension WeightReader {
  /// A norm with the kind and epsilon of the model.
  func norm(
    _ role: TensorRole, _ count: Int, _ decoder: DecoderLayer, _ sizes: Sizes
  ) throws -> Norm {
    Norm(
      kind: decoder.norm == .rms ? .rms : .layer, weight: try vector(role, count: count),
      bias: try bias(role, count: count), epsilon: sizes.epsilon)
  }
}
