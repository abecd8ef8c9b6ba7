import Formats
import Patch

/// A model's hyper-parameters and weights, from a folder or a GGUF file, under one set of names.
struct ModelSource {
  enum Format { case folder, gguf }

  let path: String
  let format: Format
  let architecture: String
  private let config: JSONValue
  private let keys: [GGUFKey]
  private let tensors: [String: Entry]

  private struct Entry {
    var file: WeightFile
    var type: String
    /// The slowest-varying dimension first.
    var shape: [Int]
    var offset: Int
  }

  init(path: String) throws {
    self.path = path
    var tensors: [String: Entry] = [:]
    if FileSystem.isFolder(path) {
      let model = try HuggingFaceModel(path: path)
      format = .folder
      architecture = model.architecture.modelType
      config = model.textConfig
      keys = []
      guard let weights = try SafetensorsFolder(path: path) else {
        throw VerifyError(path, "the folder has no safetensors weights")
      }
      for shard in weights.shards {
        let file = try WeightFile(path: "\(path)/\(shard.name)")
        for tensor in shard.header.tensors {
          tensors[tensor.name] = Entry(
            file: file, type: tensor.dtype.name, shape: tensor.shape,
            offset: shard.header.dataOffset + tensor.range.lowerBound)
        }
      }
    } else {
      let model = try GGUFModel(path: path)
      format = .gguf
      architecture = model.geometry.architecture
      config = .null
      keys = model.first.header.keys
      for shard in model.shards {
        let file = try WeightFile(path: shard.path)
        for tensor in shard.header.tensors {
          tensors[tensor.name] = Entry(
            file: file, type: tensor.type.name, shape: tensor.shape.reversed(),
            offset: shard.header.dataOffset + tensor.offset)
        }
      }
    }
    self.tensors = tensors
  }

  // MARK: Hyper-parameters

  /// A number by its name in config.json, or in the GGUF file after the architecture's prefix.
  func number(_ configName: String, _ keyName: String) -> Double? {
    switch format {
    case .folder: return config[configName]?.double
    case .gguf:
      let value = keys.first { $0.name == "\(architecture).\(keyName)" }?.value
      return value?.double ?? value?.integer.map(Double.init)
    }
  }

  func integer(_ configName: String, _ keyName: String) throws -> Int {
    guard let value = number(configName, keyName), let whole = Int(exactly: value), whole > 0 else {
      let name = format == .folder ? configName : "\(architecture).\(keyName)"
      throw VerifyError(path, "'\(name)' is missing or no positive whole number")
    }
    return whole
  }

  // MARK: Weights

  func has(_ name: TensorName) -> Bool { tensors[name.text(format)] != nil }

  /// A matrix of the given shape.
  /// - Throws: `VerifyError` for one that is missing, has another shape, or is stored in a type that cannot be read.
  func matrix(_ name: TensorName, rows: Int, columns: Int) throws -> Weight {
    try weight(name, shape: [rows, columns])
  }

  /// A matrix with as many rows as it has.
  func matrix(_ name: TensorName, columns: Int) throws -> Weight {
    guard let entry = tensors[name.text(format)], entry.shape.count == 2 else {
      throw VerifyError(path, "the matrix '\(name.text(format))' is missing")
    }
    return try weight(name, shape: [entry.shape[0], columns])
  }

  /// A vector of the given length, unpacked.
  func vector(_ name: TensorName, count: Int) throws -> [Float] {
    let values = try weight(name, shape: [count]).values
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw VerifyError(path, "tensor '\(name.text(format))' holds \(values[place]) at \(place)")
    }
    return values
  }

  private func weight(_ name: TensorName, shape: [Int]) throws -> Weight {
    let text = name.text(format)
    guard let entry = tensors[text] else { throw VerifyError(path, "tensor '\(text)' is missing") }
    guard entry.shape == shape else {
      throw VerifyError(path, "tensor '\(text)' has the shape \(entry.shape), expected \(shape)")
    }
    guard let type = WeightType(rawValue: entry.type) else {
      throw VerifyError(path, "tensor '\(text)' is stored as \(entry.type), which cannot be run")
    }
    let columns = shape.last ?? 1
    guard columns % type.block.elements == 0 else {
      throw VerifyError(path, "tensor '\(text)': rows of \(columns) are no multiple of \(entry.type)'s block")
    }
    return Weight(
      file: entry.file, name: text, type: type, rows: shape.count == 2 ? shape[0] : 1, columns: columns,
      offset: entry.offset)
  }
}

/// The role of a tensor, named as each format names it.
enum TensorName {
  case embedding, finalNorm, output
  case layer(Int, Part)

  /// What a layer has: the name in a folder after `model.layers.N.`, and in a GGUF file after `blk.N.`.
  enum Part {
    case attentionNorm, query, key, value, queryBias, keyBias, valueBias, queryNorm, keyNorm
    case fusedQKV, attentionOutput, feedForwardNorm, gate, up, fusedGateUp, down

    var names: (folder: String, gguf: String) {
      switch self {
      case .attentionNorm: ("input_layernorm.weight", "attn_norm.weight")
      case .query: ("self_attn.q_proj.weight", "attn_q.weight")
      case .key: ("self_attn.k_proj.weight", "attn_k.weight")
      case .value: ("self_attn.v_proj.weight", "attn_v.weight")
      case .queryBias: ("self_attn.q_proj.bias", "attn_q.bias")
      case .keyBias: ("self_attn.k_proj.bias", "attn_k.bias")
      case .valueBias: ("self_attn.v_proj.bias", "attn_v.bias")
      case .queryNorm: ("self_attn.q_norm.weight", "attn_q_norm.weight")
      case .keyNorm: ("self_attn.k_norm.weight", "attn_k_norm.weight")
      case .fusedQKV: ("self_attn.qkv_proj.weight", "attn_qkv.weight")
      case .attentionOutput: ("self_attn.o_proj.weight", "attn_output.weight")
      case .feedForwardNorm: ("post_attention_layernorm.weight", "ffn_norm.weight")
      case .gate: ("mlp.gate_proj.weight", "ffn_gate.weight")
      case .up: ("mlp.up_proj.weight", "ffn_up.weight")
      case .fusedGateUp: ("mlp.gate_up_proj.weight", "ffn_up.weight")
      case .down: ("mlp.down_proj.weight", "ffn_down.weight")
      }
    }
  }

  func text(_ format: ModelSource.Format) -> String {
    let isFolder = format == .folder
    switch self {
    case .embedding: return isFolder ? "model.embed_tokens.weight" : "token_embd.weight"
    case .finalNorm: return isFolder ? "model.norm.weight" : "output_norm.weight"
    case .output: return isFolder ? "lm_head.weight" : "output.weight"
    case .layer(let index, let part):
      return isFolder ? "model.layers.\(index).\(part.names.folder)" : "blk.\(index).\(part.names.gguf)"
    }
  }
}
