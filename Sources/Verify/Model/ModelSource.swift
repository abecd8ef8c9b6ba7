import Formats
import Patch

/// A model's hyper-parameters and weights, from a folder or a GGUF file, under one set of names.
final class ModelSource {
  enum Format { case folder, gguf }

  let path: String
  let format: Format
  let architecture: String
  private let config: JSONValue
  private let keys: [GGUFKey]
  private let tensors: [String: Entry]
  /// The tensors that have been asked for.
  private var used: Set<String> = []

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
      let model = try GGUFModel(path: path, anyFamily: true)
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

  /// Sizes beyond this are of no model; products of several of them are still numbers.
  private static let largest = 1 << 28

  func integer(_ configName: String, _ keyName: String) throws -> Int {
    guard let whole = try optionalInteger(configName, keyName) else {
      throw VerifyError(path, "'\(fullName(configName, keyName))' is missing")
    }
    return whole
  }

  /// Nil where the model does not say it.
  func optionalInteger(_ configName: String, _ keyName: String) throws -> Int? {
    guard try isSaid(configName, keyName) else { return nil }
    guard let value = number(configName, keyName), let whole = Int(exactly: value), (1...Self.largest) ~= whole else {
      throw VerifyError(path, "'\(fullName(configName, keyName))' is no whole number from 1 to \(Self.largest)")
    }
    return whole
  }

  /// A small positive number, such as an epsilon.
  func positive(_ configName: String, _ keyName: String) throws -> Double? {
    guard try isSaid(configName, keyName) else { return nil }
    guard let value = number(configName, keyName), value > 0, value.isFinite else {
      throw VerifyError(path, "'\(fullName(configName, keyName))' is no positive number")
    }
    return value
  }

  private func fullName(_ configName: String, _ keyName: String) -> String {
    format == .folder ? configName : "\(architecture).\(keyName)"
  }

  private func isSaid(_ configName: String, _ keyName: String) throws -> Bool {
    switch format {
    case .folder: config[configName].map { !$0.isNull } ?? false
    case .gguf: keys.contains { $0.name == fullName(configName, keyName) }
    }
  }

  /// - Throws: `VerifyError` for an activation other than SiLU.
  func requireSiLU() throws {
    guard let name = config["hidden_act"]?.text, !["silu", "swish"].contains(name) else { return }
    throw VerifyError(path, "'hidden_act' is '\(name.sanitized)'; this family is run with silu only")
  }

  /// How many tensors there are: no model has more layers.
  var tensorCount: Int { tensors.count }

  /// A list of whole numbers in config.json; nil where there is none.
  func integers(_ configName: String) throws -> [Int]? {
    guard let list = config[configName], !list.isNull else { return nil }
    guard let values = list.elements?.map(\.integer), values.allSatisfy({ $0 != nil }) else {
      throw VerifyError(path, "'\(configName)' is no list of whole numbers")
    }
    return values.compactMap(\.self)
  }

  /// A number that the model cannot do without.
  func required(_ configName: String) throws -> Double {
    guard let value = number(configName, "") else { throw VerifyError(path, "'\(configName)' is missing") }
    return value
  }

  func flag(_ configName: String) -> Bool? { config[configName]?.flag }

  // MARK: Weights

  func has(_ name: TensorName) -> Bool { tensors[name.text(for: self)] != nil }

  /// A matrix of the given shape.
  /// - Throws: `VerifyError` for one that is missing, has another shape, or is stored in a type that cannot be read.
  func matrix(_ name: TensorName, rows: Int, columns: Int) throws -> Weight {
    try weight(name, shape: [rows, columns])
  }

  /// A matrix with as many rows as it has.
  func matrix(_ name: TensorName, columns: Int) throws -> Weight {
    guard let entry = tensors[name.text(for: self)], entry.shape.count == 2 else {
      throw VerifyError(path, "the matrix '\(name.text(for: self))' is missing")
    }
    return try weight(name, shape: [entry.shape[0], columns])
  }

  /// The matrices that one tensor holds one after another.
  func stack(_ name: TensorName, _ count: Int, rows: Int, columns: Int) throws -> [Weight] {
    let whole = try weight(name, shape: [count, rows, columns])
    return (0..<count).map { whole.part($0 * rows..<($0 + 1) * rows) }
  }

  /// A vector of the given length, unpacked.
  func vector(_ name: TensorName, count: Int) throws -> [Float] {
    let weight = try weight(name, shape: [count])
    if let place = weight.firstNonFinite { throw VerifyError(path, place) }
    return weight.values
  }

  private func weight(_ name: TensorName, shape: [Int]) throws -> Weight {
    let text = name.text(for: self)
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
    used.insert(text)
    return Weight(
      file: entry.file, name: text, type: type, rows: shape.dropLast().reduce(1, *), columns: columns,
      offset: entry.offset)
  }

  /// Names that a model may have beside its weights: tables of frequencies and factors, and the part that sees.
  private static let expectedExtras = ["rotary_emb.", "rope_freqs.", "rope_factors_", "vision_embed_tokens."]

  /// - Throws: `VerifyError` for a tensor that the family's description does not know: without it the model would be
  ///   another one.
  func refuseUnusedTensors() throws {
    let unused = tensors.keys.filter { name in
      !used.contains(name) && !Self.expectedExtras.contains { name.contains($0) }
    }
    guard let first = unused.min() else { return }
    let others = unused.count == 1 ? "" : ", and \(unused.count - 1) more"
    throw VerifyError(path, "'\(architecture)' has no use for the tensor '\(first)'\(others)")
  }

  /// Marks a tensor as known although nothing reads it.
  func ignore(_ name: TensorName) { used.insert(name.text(for: self)) }
}

/// The role of a tensor, named as each format names it.
package enum TensorName {
  case embedding, finalNorm, finalNormBias, output, outputBias
  case layer(Int, Part)
  case bias(Int, Part)

  /// What a layer has: the name in a folder after `model.layers.N.`, and in a GGUF file after `blk.N.`, without
  /// `.weight`.
  package enum Part {
    case attentionNorm, query, key, value, queryNorm, keyNorm, fusedQKV, groupedQKV, attentionOutput, dense
    case queryDown, queryDownNorm, queryUp, keyValueDown, keyValueDownNorm, keyValueUp
    case feedForwardNorm, gate, up, fusedGateUp, interleavedUp, down
    case router, expertGate(Int), expertUp(Int), expertDown(Int), expertGates, expertUps, expertDowns

    package var names: (folder: String, gguf: String) {
      switch self {
      case .attentionNorm: ("input_layernorm", "attn_norm")
      case .query: ("self_attn.q_proj", "attn_q")
      case .key: ("self_attn.k_proj", "attn_k")
      case .value: ("self_attn.v_proj", "attn_v")
      case .queryNorm: ("self_attn.q_norm", "attn_q_norm")
      case .keyNorm: ("self_attn.k_norm", "attn_k_norm")
      case .fusedQKV: ("self_attn.qkv_proj", "attn_qkv")
      case .groupedQKV: ("self_attn.query_key_value", "")
      case .attentionOutput: ("self_attn.o_proj", "attn_output")
      case .dense: ("self_attn.dense", "")
      case .queryDown: ("self_attn.q_a_proj", "attn_q_a")
      case .queryDownNorm: ("self_attn.q_a_layernorm", "attn_q_a_norm")
      case .queryUp: ("self_attn.q_b_proj", "attn_q_b")
      case .keyValueDown: ("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa")
      case .keyValueDownNorm: ("self_attn.kv_a_layernorm", "attn_kv_a_norm")
      case .keyValueUp: ("self_attn.kv_b_proj", "attn_kv_b")
      case .feedForwardNorm: ("post_attention_layernorm", "ffn_norm")
      case .gate: ("mlp.gate_proj", "ffn_gate")
      case .up: ("mlp.up_proj", "ffn_up")
      case .fusedGateUp: ("mlp.gate_up_proj", "ffn_up")
      case .interleavedUp: ("mlp.up_proj", "")
      case .down: ("mlp.down_proj", "ffn_down")
      case .router: ("block_sparse_moe.gate", "ffn_gate_inp")
      case .expertGate(let number): ("block_sparse_moe.experts.\(number).w1", "")
      case .expertUp(let number): ("block_sparse_moe.experts.\(number).w3", "")
      case .expertDown(let number): ("block_sparse_moe.experts.\(number).w2", "")
      case .expertGates: ("", "ffn_gate_exps")
      case .expertUps: ("", "ffn_up_exps")
      case .expertDowns: ("", "ffn_down_exps")
      }
    }
  }

  func text(for source: ModelSource) -> String {
    let isFolder = source.format == .folder
    // Phi-3-small names its last norm otherwise.
    let norm = source.architecture == "phi3small" ? "model.final_layernorm" : "model.norm"
    return switch self {
    case .embedding: isFolder ? "model.embed_tokens.weight" : "token_embd.weight"
    case .finalNorm: isFolder ? "\(norm).weight" : "output_norm.weight"
    case .finalNormBias: isFolder ? "\(norm).bias" : "output_norm.bias"
    case .output: isFolder ? "lm_head.weight" : "output.weight"
    case .outputBias: isFolder ? "lm_head.bias" : "output.bias"
    case .layer(let index, let part): Self.part(index, part, isFolder) + ".weight"
    case .bias(let index, let part): Self.part(index, part, isFolder) + ".bias"
    }
  }

  private static func part(_ index: Int, _ part: Part, _ isFolder: Bool) -> String {
    isFolder ? "model.layers.\(index).\(part.names.folder)" : "blk.\(index).\(part.names.gguf)"
  }
}
