/// Phi-3.5-MoE and its small relatives: layer norms and biases, and experts chosen by a sparse mixer.
///
/// llama.cpp takes a root-mean-square norm in place of the layer norm, and the softmax of all experts.
enum PhiMoE {
  static func make(_ source: ModelSource) throws -> Transformer {
    let sizes = try Sizes(source)
    let count = try source.integer("num_local_experts", "expert_count")
    let used = try source.integer("num_experts_per_tok", "expert_used_count")
    guard used <= count, used == 2, count <= 4096 else {
      throw VerifyError(source.path, "\(used) of \(count) experts a token, expected 2")
    }
    let jitter = Float(source.number("router_jitter_noise", "") ?? 0.01)
    var model = try Transformer.assemble(source, sizes, normKind: .layer) { reader in
      Transformer.Layer(
        attentionNorm: try reader.norm(.attentionNorm, sizes.hidden), attention: try Llama.attention(reader, sizes),
        feedForwardNorm: try reader.norm(.feedForwardNorm, sizes.hidden),
        feedForward: .experts(
          Experts(
            router: try reader.matrix(.router, count, sizes.hidden),
            experts: try experts(reader, count, sizes), used: used, routing: .sparseMixer(jitter: jitter))))
    }
    if source.format == .folder { model.setSlidingWindow(source.number("sliding_window", "")) }
    model.variants["llama.cpp"] = { $0.routeAsLlamaCpp() }
    return model
  }

  /// A folder has a tensor for each expert's matrix, a GGUF file one for all experts'.
  private static func experts(_ reader: LayerReader, _ count: Int, _ sizes: Sizes) throws -> [Experts.Expert] {
    let (f, h) = (sizes.feedForward, sizes.hidden)
    switch reader.source.format {
    case .folder:
      return try (0..<count).map { expert in
        Experts.Expert(
          gate: try reader.matrix(.expertGate(expert), f, h), up: try reader.matrix(.expertUp(expert), f, h),
          down: try reader.matrix(.expertDown(expert), h, f))
      }
    case .gguf:
      let gates = try reader.source.stack(.layer(reader.index, .expertGates), count, rows: f, columns: h)
      let ups = try reader.source.stack(.layer(reader.index, .expertUps), count, rows: f, columns: h)
      let downs = try reader.source.stack(.layer(reader.index, .expertDowns), count, rows: h, columns: f)
      return zip(zip(gates, ups), downs).map { Experts.Expert(gate: $0.0, up: $0.1, down: $1) }
    }
  }
}

extension Transformer {
  fileprivate mutating func routeAsLlamaCpp() {
    finalNorm.kind = .rms
    for index in layers.indices {
      layers[index].attentionNorm.kind = .rms
      layers[index].feedForwardNorm.kind = .rms
      guard case .experts(var experts) = layers[index].feedForward else { continue }
      experts.routing = .softmax
      layers[index].feedForward = .experts(experts)
    }
  }
}
