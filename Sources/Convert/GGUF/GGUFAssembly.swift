import Formats
import Patch
import Verify

/// What a GGUF model will hold.
struct GGUFContents {
  var keys: [GGUFKey]
  var tensors: [PlannedTensor]
  /// What the user should know.
  var remarks: [String] = []
}

/// Makes a GGUF model of a folder.
struct GGUFAssembly {
  let source: SourceModel
  let model: HuggingFaceModel
  let family: ConvertibleFamily
  let options: ConversionOptions

  private var config: ConfigNumbers {
    ConfigNumbers(config: model.textConfig, path: "\(model.path)/\(HuggingFaceModel.configName)")
  }

  /// - Throws: `PatchError` for what the family, llama.cpp or the types cannot express.
  func contents() throws -> GGUFContents {
    let rope = try RopeKeys(model, family, allowDivergent: options.allowDivergent)
    let tensors = rope.tensors + (try weights())
    let vocabulary = try VocabularyKeys(folder: model.path, config: model.textConfig)
    var keys = [
      GGUFKey("general.architecture", .string(family.gguf)), GGUFKey("general.type", .string("model")),
      GGUFKey("general.name", .string(options.name ?? Self.name(of: model.path))),
      GGUFKey("general.size_label", .string(Self.sizeLabel(tensors))),
    ]
    keys += try hyperparameters() + rope.keys
    keys.append(GGUFKey("general.file_type", .uint32(Self.fileType(tensors, options))))
    keys.append(GGUFKey("general.quantization_version", .uint32(2)))
    keys += try stamp + ConservedTexts(folder: model).keys + vocabulary.keys
    return GGUFContents(keys: keys, tensors: tensors, remarks: remarks + vocabulary.remarks)
  }

  private var isTied: Bool { model.textConfig["tie_word_embeddings"]?.flag == true }

  private var remarks: [String] {
    var remarks: [String] = []
    if isTied, source.tensors.contains(where: { $0.name == "lm_head.weight" }) {
      remarks.append("lm_head.weight is left out: the config ties the output to the embeddings, so nothing uses it")
    }
    let keepsWindow = family.hyperparameters.contains { $0.config == "sliding_window" }
    if let window = model.textConfig["sliding_window"]?.integer, !keepsWindow,
      model.textConfig["use_sliding_window"]?.flag ?? (family.modelType == "mistral")
    {
      remarks.append("llama.cpp runs this architecture without its sliding window of \(window) tokens")
    }
    return remarks
  }

  // MARK: Weights

  private func weights() throws -> [PlannedTensor] {
    let layers = try config.count("num_hidden_layers")
    guard layers <= source.tensors.count else {
      throw PatchError.unsupported(config.path, "\(layers) layers, but \(source.tensors.count) tensors")
    }
    let experts = try config.optionalCount("num_local_experts") ?? 0
    guard experts <= source.tensors.count else {
      throw PatchError.unsupported(config.path, "\(experts) experts, but \(source.tensors.count) tensors")
    }
    var pool = TensorPool(source)
    // A tied model runs without the head that its file may hold.
    if isTied { for suffix in ["weight", "bias"] { _ = pool.take("lm_head.\(suffix)") } }
    let planned = try family.tensors(layers: layers, experts: experts).compactMap { named -> PlannedTensor? in
      guard let stored = try pool.take(named.folder, isRequired: named.isRequired) else { return nil }
      return try plan(named, stored)
    }
    try pool.requireEmpty(except: Self.isComputed, family)
    return planned
  }

  /// Tables that a model computes, and masks, which old checkpoints hold.
  private static func isComputed(_ name: String) -> Bool {
    name.hasSuffix(".rotary_emb.inv_freq") || name.hasSuffix(".attention.bias")
      || name.hasSuffix(".attention.masked_bias")
  }

  private func plan(_ named: NamedTensor, _ stored: [StoredTensor]) throws -> PlannedTensor {
    guard stored.allSatisfy({ $0.shape == stored[0].shape }) else {
      throw PatchError.unsupported(source.path, "the tensors of '\(named.gguf)' have different shapes")
    }
    let shape = named.isStack ? [stored.count] + stored[0].shape : stored[0].shape
    let type = try GGUFTypeChoice(options.type).type(of: named.gguf, shape: shape, stored[0], source.path)
    let order: PlannedTensor.RowOrder =
      switch named.turn {
      case .none: .same
      case .queries: .halvesToNeighbours(heads: try config.count("num_attention_heads"))
      case .keys:
        .halvesToNeighbours(
          heads: try config.optionalCount("num_key_value_heads") ?? config.count("num_attention_heads"))
      }
    if let heads = order.heads {
      guard heads > 0, shape[0] % (2 * heads) == 0 else {
        throw PatchError.unsupported(
          source.path, "tensor '\(stored[0].name)' has \(shape[0]) rows, which are no \(heads) heads of pairs")
      }
    }
    return PlannedTensor(named.gguf, shape: shape, as: type.rawValue, .stored(stored, order))
  }

  // MARK: Keys

  private func hyperparameters() throws -> [GGUFKey] {
    let prefix = family.gguf
    var keys: [GGUFKey] = []
    for parameter in family.hyperparameters {
      let name = "\(prefix).\(parameter.key)"
      switch (parameter.config, parameter.kind) {
      case ("", _): keys.append(GGUFKey(name, .uint32(UInt32(model.geometry.rotaryDimensions))))
      case ("sliding_window", _):
        keys.append(GGUFKey(name, .uint32(UInt32(try config.optionalCount(parameter.config) ?? 0))))
      case (_, .count):
        var value =
          parameter.isRequired ? try config.count(parameter.config) : try config.optionalCount(parameter.config)
        if parameter.config == "head_dim", value == nil, family.gguf == "llama" {
          value = try config.count("hidden_size") / config.count("num_attention_heads")
        }
        if let value { keys.append(GGUFKey(name, .uint32(UInt32(value)))) }
      case (_, .number):
        let value =
          parameter.isRequired ? try config.number(parameter.config) : try config.optionalNumber(parameter.config)
        if let value { keys.append(GGUFKey(name, .float32(Float(value)))) }
      }
    }
    switch family.modelType {
    case "minicpm": keys += try MiniCPMScaling(config).keys(prefix)
    case "minicpm3": keys += try latentKeys(prefix)
    default: break
    }
    return keys
  }

  private func latentKeys(_ prefix: String) throws -> [GGUFKey] {
    let scaling = try MiniCPMScaling(config)
    guard scaling.isPublishedMiniCPM3 || options.allowDivergent else {
      throw PatchError.unsafe(
        config.path,
        "scale_emb \(scaling.embedding), scale_depth \(scaling.depth), dim_model_base \(scaling.base): llama.cpp computes every minicpm3 with 12, 1.4 and 256; --allow-divergent converts it all the same"
      )
    }
    let unrotated = try config.count("qk_nope_head_dim")
    let rotated = try config.count("qk_rope_head_dim")
    let value =
      try config.optionalCount("v_head_dim")
      ?? config.count("hidden_size") / config.count("num_attention_heads")
    return [
      GGUFKey("\(prefix).attention.key_length", .uint32(UInt32(unrotated + rotated))),
      GGUFKey("\(prefix).attention.value_length", .uint32(UInt32(value))),
    ]
  }

  /// Who patched the model, as `apply` records it.
  private var stamp: [GGUFKey] {
    guard let stamp = model.config.value[Stamp.member] else { return [] }
    return ["version", "factors_sha256"].compactMap { name in
      stamp[name]?.text.map { GGUFKey("\(Stamp.member).\(name)", .string($0)) }
    }
  }

  private static func name(of path: String) -> String {
    FileSystem.name(of: (try? FileSystem.resolved(path)) ?? path)
  }

  /// How many parameters there are, as llama.cpp's tools write it: 125M, or 16x4.2B for experts.
  static func sizeLabel(_ tensors: [PlannedTensor]) -> String {
    let stacks = tensors.filter { $0.name.contains("_exps.") && $0.shape.count == 3 }
    let experts = stacks.first?.shape[0] ?? 0
    let count = tensors.reduce(0) { sum, tensor in
      sum + (tensor.name.contains("_exps.") && tensor.shape.count == 3 ? tensor.elements / experts : tensor.elements)
    }
    let (scale, unit): (Double, String) =
      count > 1_000_000_000_000
      ? (1e-12, "T") : count > 1_000_000_000 ? (1e-9, "B") : count > 1_000_000 ? (1e-6, "M") : (1e-3, "K")
    let size = Double(count) * scale
    let whole = size.rounded(.toNearestOrEven)
    let digits = whole == 0 ? 0 : String(Int(whole)).count
    let text = size.decimal(places: max(2 - digits, 0))
    return experts > 0 ? "\(experts)x\(text)\(unit)" : "\(text)\(unit)"
  }

  /// Of the type that was asked for, or of most numbers in matrices.
  static func fileType(_ tensors: [PlannedTensor], _ options: ConversionOptions) -> UInt32 {
    if let type = options.type.stored?.fileType { return type }
    var counts: [String: Int] = [:]
    for tensor in tensors where tensor.shape.count > 1 { counts[tensor.typeName, default: 0] += tensor.elements }
    let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "F32"
    // llama.cpp's name for a type that no number stands for: guessed.
    return WeightType(rawValue: most)?.fileType ?? 1024
  }
}

/// As what a tensor is stored in a GGUF file.
struct GGUFTypeChoice {
  private let asked: WeightType?

  init(_ type: TensorType) { asked = type.stored }

  /// Vectors, norms, biases and routers stay 32-bit floats, which is all that llama.cpp has for them.
  func type(of name: String, shape: [Int], _ stored: StoredTensor, _ path: String) throws(PatchError) -> WeightType {
    guard let own = stored.type else {
      throw .unsupported(path, "tensor '\(stored.name)' is \(stored.typeName), which cannot be converted")
    }
    let isMatrix =
      shape.count > 1 && name.hasSuffix(".weight") && !name.hasSuffix("_norm.weight") && !name.contains("ffn_gate_inp.")
    guard isMatrix else { return .f32 }
    return (asked ?? own).fitting(columns: shape.last ?? 1)
  }
}

/// MiniCPM's multipliers.
struct MiniCPMScaling {
  let embedding: Double
  let depth: Double
  let base: Double
  private let layers: Double
  private let hidden: Double

  init(_ config: ConfigNumbers) throws(PatchError) {
    embedding = try config.number("scale_emb")
    depth = try config.number("scale_depth")
    base = try config.number("dim_model_base")
    layers = Double(try config.count("num_hidden_layers"))
    hidden = Double(try config.count("hidden_size"))
  }

  var isPublishedMiniCPM3: Bool { embedding == 12 && depth == 1.4 && base == 256 }

  func keys(_ prefix: String) -> [GGUFKey] {
    [
      GGUFKey("\(prefix).embedding_scale", .float32(Float(embedding))),
      GGUFKey("\(prefix).residual_scale", .float32(Float(depth / layers.squareRoot()))),
      GGUFKey("\(prefix).logit_scale", .float32(Float(hidden / base))),
    ]
  }
}

extension Double {
  /// With so many digits after the point.
  func decimal(places: Int) -> String {
    guard places > 0 else { return String(Int(rounded(.toNearestOrEven))) }
    var unit = 1
    for _ in 0..<places { unit *= 10 }
    let scaled = Int((self * Double(unit)).rounded(.toNearestOrEven))
    let fraction = String(scaled % unit)
    return "\(scaled / unit)." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
