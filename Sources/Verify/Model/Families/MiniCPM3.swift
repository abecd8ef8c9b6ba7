/// MiniCPM3: multi-head latent attention, rotated in the last part of each head, with MiniCPM's scaling.
///
/// The norms of the latents have an epsilon of their own in each runtime: the published code and transformers take
/// 1e-6, MLX-LM 1e-5, llama.cpp the model's. llama.cpp knows the scaling of the published model only.
enum MiniCPM3 {
  static func make(_ source: ModelSource) throws -> Transformer {
    let sizes = try Sizes(source)
    let latent = try LatentSizes(source, sizes)
    var model = try Transformer.assemble(source, sizes) { try layer($0, sizes, latent) }
    let head = latent.unrotated + latent.rotated
    model.shape = AttentionShape(
      heads: sizes.heads, keyValueHeads: sizes.heads, headDimension: head, valueDimension: latent.value,
      rotaryOffset: latent.unrotated, scale: 1 / Float(head).squareRoot())
    switch source.format {
    case .folder: try model.setDepthScaling(source)
    case .gguf: model.setPublishedScaling()
    }
    let hasOutput = source.has(.output)
    model.variants["mlx"] = { model in
      model.setLatentEpsilon(1e-5)
      // MLX-LM does not scale the logits of tied embeddings.
      if !hasOutput { model.logitScale = 1 }
    }
    let epsilon = sizes.epsilon
    model.variants["llama.cpp"] = { model in
      model.setLatentEpsilon(epsilon)
      model.setPublishedScaling()
    }
    return model
  }

  private struct LatentSizes {
    var queryRank: Int
    var keyValueRank: Int
    var unrotated: Int
    var rotated: Int
    var value: Int

    init(_ source: ModelSource, _ sizes: Sizes) throws {
      queryRank = try source.integer("q_lora_rank", "attention.q_lora_rank")
      keyValueRank = try source.integer("kv_lora_rank", "attention.kv_lora_rank")
      rotated = try source.integer("qk_rope_head_dim", "rope.dimension_count")
      switch source.format {
      case .folder: unrotated = try source.integer("qk_nope_head_dim", "")
      case .gguf: unrotated = try source.integer("", "attention.key_length") - rotated
      }
      value =
        try source.optionalInteger("v_head_dim", "attention.value_length")
        ?? sizes.hidden / sizes.heads
      guard unrotated > 0, rotated % 2 == 0, value > 0 else {
        throw VerifyError(source.path, "heads of \(unrotated) + \(rotated) and \(value) dimensions")
      }
    }
  }

  private static func layer(
    _ reader: LayerReader, _ sizes: Sizes, _ latent: LatentSizes
  ) throws -> Transformer.Layer {
    let inputs = SelfAttention.Latent(
      queryDown: try reader.projection(.queryDown, latent.queryRank, sizes.hidden),
      queryNorm: try reader.norm(.queryDownNorm, latent.queryRank, epsilon: 1e-6),
      queryUp: try reader.projection(
        .queryUp, sizes.heads * (latent.unrotated + latent.rotated), latent.queryRank),
      keyValueDown: try reader.projection(.keyValueDown, latent.keyValueRank + latent.rotated, sizes.hidden),
      keyValueNorm: try reader.norm(.keyValueDownNorm, latent.keyValueRank, epsilon: 1e-6),
      keyValueUp: try reader.projection(
        .keyValueUp, sizes.heads * (latent.unrotated + latent.value), latent.keyValueRank))
    return Transformer.Layer(
      attentionNorm: try reader.norm(.attentionNorm, sizes.hidden),
      attention: SelfAttention(
        inputs: .latent(inputs),
        output: try reader.projection(.attentionOutput, sizes.hidden, sizes.heads * latent.value)),
      feedForwardNorm: try reader.norm(.feedForwardNorm, sizes.hidden), feedForward: try reader.gated(sizes))
  }
}

extension Transformer {
  fileprivate mutating func setLatentEpsilon(_ epsilon: Float) {
    for index in layers.indices {
      guard case .latent(var latent) = layers[index].attention.inputs else { continue }
      latent.queryNorm.epsilon = epsilon
      latent.keyValueNorm.epsilon = epsilon
      layers[index].attention.inputs = .latent(latent)
    }
  }

  /// MiniCPM3-4B's numbers, which a GGUF file does not hold.
  fileprivate mutating func setPublishedScaling() {
    embeddingScale = 12
    residualScale = 1.4 / Float(layers.count).squareRoot()
    logitScale = 256 / Float(hidden)
  }
}
