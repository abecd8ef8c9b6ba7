/// The role of a tensor in a model, independent of its name in either format.
public enum TensorRole: Hashable, Sendable {
  /// The tensors outside the layers.
  case embedding, finalNorm, output
  /// A tensor of one layer, counted from 0.
  case layer(Int, LayerRole)
}

/// The role of a tensor in a layer.
public enum LayerRole: Hashable, Sendable {
  /// The norm before attention, and attention itself.
  case attentionNorm, query, key, value, queryNorm, keyNorm, fusedQKV, groupedQKV, attentionOutput
  /// The low-rank projections of latent attention, with the norms between them.
  case queryDown, queryDownNorm, queryUp, keyValueDown, keyValueDownNorm, keyValueUp
  /// The norms after attention, before the feed-forward, and after it.
  case postAttentionNorm, feedForwardNorm, postFeedForwardNorm
  /// The projections of the feed-forward.
  case gate, up, fusedGateUp, interleavedUp, down
  /// The projection that scores the experts.
  case router
  /// The matrices of one expert, as folders store them.
  case expertGate(Int), expertUp(Int), expertDown(Int)
  /// The matrices of all experts in one tensor each, as GGUF files store them.
  case expertGates, expertUps, expertDowns

  /// The roles of the single experts in a tensor for all experts, or nil for any other role.
  public func experts(_ count: Int) -> [LayerRole]? {
    switch self {
    case .expertGates: (0..<count).map { .expertGate($0) }
    case .expertUps: (0..<count).map { .expertUp($0) }
    case .expertDowns: (0..<count).map { .expertDown($0) }
    default: nil
    }
  }

  /// The default names, used unless an architecture has its own.
  ///
  /// A name is empty if the format has no tensor for the role.
  package var names: TensorNames {
    switch self {
    case .attentionNorm: .init("input_layernorm", "attn_norm")
    case .query: .init("self_attn.q_proj", "attn_q")
    case .key: .init("self_attn.k_proj", "attn_k")
    case .value: .init("self_attn.v_proj", "attn_v")
    case .queryNorm: .init("self_attn.q_norm", "attn_q_norm")
    case .keyNorm: .init("self_attn.k_norm", "attn_k_norm")
    case .fusedQKV: .init("self_attn.qkv_proj", "attn_qkv")
    case .groupedQKV: .init("self_attn.query_key_value", "")
    case .attentionOutput: .init("self_attn.o_proj", "attn_output")
    case .queryDown: .init("self_attn.q_a_proj", "attn_q_a")
    case .queryDownNorm: .init("self_attn.q_a_layernorm", "attn_q_a_norm")
    case .queryUp: .init("self_attn.q_b_proj", "attn_q_b")
    case .keyValueDown: .init("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa")
    case .keyValueDownNorm: .init("self_attn.kv_a_layernorm", "attn_kv_a_norm")
    case .keyValueUp: .init("self_attn.kv_b_proj", "attn_kv_b")
    case .postAttentionNorm: .init("post_attention_layernorm", "post_attention_norm")
    case .feedForwardNorm: .init("post_attention_layernorm", "ffn_norm")
    case .postFeedForwardNorm: .init("post_feedforward_layernorm", "post_ffw_norm")
    case .gate: .init("mlp.gate_proj", "ffn_gate")
    case .up: .init("mlp.up_proj", "ffn_up")
    case .fusedGateUp: .init("mlp.gate_up_proj", "ffn_up")
    case .interleavedUp: .init("mlp.up_proj", "")
    case .down: .init("mlp.down_proj", "ffn_down")
    case .router: .init("block_sparse_moe.gate", "ffn_gate_inp")
    case .expertGate(let number): .init("block_sparse_moe.experts.\(number).w1", "")
    case .expertUp(let number): .init("block_sparse_moe.experts.\(number).w3", "")
    case .expertDown(let number): .init("block_sparse_moe.experts.\(number).w2", "")
    case .expertGates: .init("", "ffn_gate_exps")
    case .expertUps: .init("", "ffn_up_exps")
    case .expertDowns: .init("", "ffn_down_exps")
    }
  }
}

/// The names of a layer tensor in both formats, without `.weight` or `.bias`.
public struct TensorNames: Sendable {
  /// The name in a folder, after `model.layers.N.`.
  public var folder: String
  /// The name in a GGUF file, after `blk.N.`.
  public var gguf: String

  init(_ folder: String, _ gguf: String) {
    self.folder = folder
    self.gguf = gguf
  }
}

extension Architecture {
  /// The suffix of a tensor's name.
  ///
  /// A projection or a norm may have both tensors.
  public enum Suffix: String, CaseIterable, Sendable { case weight, bias }

  /// The full name of a tensor in one format.
  public func tensorName(
    _ role: TensorRole, _ suffix: Suffix = .weight, in format: ModelFormat
  ) -> String {
    let stem: String
    switch (role, format) {
    case (.embedding, .folder): stem = "model.embed_tokens"
    case (.embedding, .gguf): stem = "token_embd"
    case (.finalNorm, .folder): stem = finalNormName
    case (.finalNorm, .gguf): stem = "output_norm"
    case (.output, .folder): stem = "lm_head"
    case (.output, .gguf): stem = "output"
    case (.layer(let index, let part), .folder):
      stem = "model.layers.\(index).\((layerNames[part] ?? part.names).folder)"
    case (.layer(let index, let part), .gguf):
      stem = "blk.\(index).\((layerNames[part] ?? part.names).gguf)"
    }
    return "\(stem).\(suffix.rawValue)"
  }

  /// Whether a tensor can be left out: it is recomputed from the config, or it belongs to a part of
  /// the model that is not run.
  ///
  /// Every other tensor must have a known role.
  public func isDispensable(_ name: String, in format: ModelFormat) -> Bool {
    switch format {
    case .folder:
      name.contains(".rotary_emb.") || name.hasSuffix(".attention.bias")
        || name.hasSuffix(".attention.masked_bias") || otherParts.contains { name.hasPrefix($0) }
    case .gguf: GGUFModel.tableNames.contains(name)
    }
  }
}
