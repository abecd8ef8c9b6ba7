import Formats
import Inference
import Models
import Numerics
import Patch

/// The planned contents of a GGUF model.
struct GGUFContents {
  var keys: [GGUFKey]
  var tensors: [PlannedTensor]
  /// Notes for the user.
  var remarks: [String] = []
}

/// Plans a GGUF model from a folder.
struct GGUFAssembly {
  let source: ConversionSource
  /// The source with the factors of the conversion.
  let model: ModelFolder
  let options: ConversionOptions

  private var architecture: Architecture { model.architecture }
  private var given: Hyperparameters { model.hyperparameters }
  private var prefix: String { architecture.gguf?.name ?? architecture.name }

  /// All keys and tensors.
  /// - Throws: `ModelError` for something that the family, llama.cpp or the type cannot express.
  func contents() throws -> GGUFContents {
    try requireExpressible()
    let rope = try RopeContents(model, allowDivergent: options.allowDivergent)
    let tensors = rope.tensors + (try weights())
    let vocabulary = try VocabularyKeys(folder: model)
    let name = options.name ?? Self.name(of: model.path)
    if let token = vocabulary.missingPhi3Token, AbsorbedSpace.applies(toName: name) {
      throw ModelError.unsupported(
        model.path,
        "llama.cpp takes a model named '\(name.sanitized)' for a Phi-3 and requires the token '\(token)', which is missing; pass another --name"
      )
    }
    var keys = [
      GGUFKey("general.architecture", .string(prefix)), GGUFKey("general.type", .string("model")),
      GGUFKey("general.name", .string(name)),
      GGUFKey("general.size_label", .string(Self.sizeLabel(tensors))),
    ]
    keys += try hyperparameters() + rope.keys
    keys.append(GGUFKey("general.file_type", .uint32(Self.fileType(tensors, options))))
    keys.append(GGUFKey("general.quantization_version", .uint32(2)))
    keys += try mark + PreservedConfigs(folder: model).keys + vocabulary.keys
    let quantization = try model.quantizationRemark().map { [$0] } ?? []
    return GGUFContents(
      keys: keys, tensors: tensors, remarks: quantization + remarks + vocabulary.remarks)
  }

  /// Refuses a model that llama.cpp would compute differently.
  /// - Throws: `ModelError`.
  private func requireExpressible() throws {
    if architecture.gguf?.requiresOutput == true, !hasOutput {
      throw ModelError.unsupported(
        model.path,
        "the output is tied to the embeddings, but llama.cpp requires an output matrix for \(prefix)"
      )
    }
    let share = try given.count(.hidden) / given.count(.heads)
    if architecture.gguf?.fixesHeadSize == true, try given.headSize() != share {
      throw ModelError.unsupported(
        model.path,
        "a head has \(try given.headSize()) dimensions; for \(prefix) llama.cpp requires the width of the hidden state divided by the heads, \(share)"
      )
    }
    guard case .listed(let interval)? = architecture.decoder?.rotaryLayers else { return }
    let count = try given.count(.layers)
    let rotates = try source.model.rotaryLayers(count: count, interval: interval)
    guard rotates.indices.allSatisfy({ rotates[$0] == (($0 + 1) % interval != 0) }) else {
      throw ModelError.unsupported(
        model.path,
        "'no_rope_layers' differs from llama.cpp, which leaves exactly every \(interval)th layer of \(prefix) without a rotary embedding"
      )
    }
  }

  private var isTied: Bool { ModelFile.folder(model).isTied }

  private var hasOutput: Bool {
    let output = architecture.tensorName(.output, in: .folder)
    return source.tensors.all.contains { $0.plainName == output }
  }

  private var remarks: [String] {
    var remarks: [String] = []
    if isTied, hasOutput {
      remarks.append(
        "\(architecture.tensorName(.output, in: .folder)) is kept although the config ties the output to the embeddings: transformers 5 uses it too, but transformers 4, vLLM, SGLang and MLX-LM do not"
      )
    }
    if !source.tensors.otherParts.isEmpty {
      remarks.append(
        "only the language model is converted; \(source.tensors.otherParts.count) tensors of other parts are left out"
      )
    }
    if let window = droppedWindow {
      remarks.append(
        "llama.cpp runs this architecture without its sliding window of \(window) tokens")
    }
    return remarks
  }

  /// A sliding window that the config turns on but that a GGUF file of this architecture does not
  /// store.
  private var droppedWindow: Int? {
    let isKept = architecture.hyperparameters.contains {
      $0.quantity == .slidingWindow && $0.gguf != nil
    }
    guard !isKept, let count = try? given.count(.layers) else { return nil }
    return (try? model.slidingWindows(layers: count))?.compactMap(\.self).first
  }

  // MARK: Weights

  private func weights() throws -> [PlannedTensor] {
    let (layers, experts) = (try given.count(.layers), try given.optionalCount(.experts) ?? 0)
    let count = source.tensors.all.count
    guard layers <= count, experts <= count else {
      throw ModelError.unsupported(
        model.path,
        "declares \(layers) layers and \(experts) experts, but has only \(count) tensors")
    }
    var pool = TensorPool(source.tensors, of: source.model)
    var planned: [PlannedTensor] = []
    for named in architecture.namedTensors(layers: layers, experts: experts) {
      if let half = named.half {
        planned.append(try plan(named, [pool.take(half: half, of: named.folder[0])]))
      } else if let stored = try pool.take(named.folder, isRequired: named.isRequired) {
        planned.append(try plan(named, stored))
      } else if named.isAlwaysWritten, let rows = planned.last?.shape.first {
        // The weight comes before its bias, and a bias of zeros changes nothing.
        planned.append(
          PlannedTensor(named.gguf, floats: Array(repeating: 0, count: rows)))
      }
    }
    try pool.requireEmpty("has no place in llama.cpp's loader for '\(prefix)'")
    return planned
  }

  private func plan(_ named: NamedTensor, _ stored: [ModelTensor]) throws -> PlannedTensor {
    guard stored.allSatisfy({ $0.shape == stored[0].shape }) else {
      throw ModelError.unsupported(
        source.path, "the tensors of '\(named.gguf)' have different shapes")
    }
    let shape = named.isStack ? [stored.count] + stored[0].shape : stored[0].shape
    let type = try GGUFTypeChoice(options.type).type(
      of: named.gguf, shape: shape, stored[0], source.path)
    let order: PlannedTensor.RowOrder =
      switch named.permutation {
      case .none: .same
      case .queries: .halvesToNeighbours(heads: try given.count(.heads))
      case .keys:
        .halvesToNeighbours(heads: try given.optionalCount(.keyValueHeads) ?? given.count(.heads))
      }
    if let heads = order.heads {
      guard heads > 0, shape[0] % (2 * heads) == 0 else {
        throw ModelError.unsupported(
          source.path,
          "tensor '\(stored[0].name)' has \(shape[0]) rows, expected \(heads) heads of pairs")
      }
    }
    return PlannedTensor(named.gguf, shape: shape, as: type, .stored(stored, order))
  }

  // MARK: Keys

  private func hyperparameters() throws -> [GGUFKey] {
    try architecture.hyperparameters.compactMap(key) + multiplierKeys() + latentKeys()
  }

  /// The key of one hyperparameter, or nil if the model lacks it or GGUF has no key for it.
  private func key(_ row: Hyperparameter) throws -> GGUFKey? {
    guard let suffix = row.gguf else { return nil }
    let name = "\(prefix).\(suffix)"
    switch (row.quantity, row.kind) {
    case (.rotaryDimensions, _):
      return GGUFKey(name, .uint32(UInt32(model.geometry.rotaryDimensions)))
    case (.slidingWindow, _):
      return GGUFKey(name, .uint32(UInt32(try given.optionalCount(.slidingWindow) ?? 0)))
    case _ where row.config == nil: return nil
    case (let quantity, .count):
      return try count(quantity).map { GGUFKey(name, .uint32(UInt32($0))) }
    case (let quantity, .number):
      if case .required = row.absence {
        return GGUFKey(name, .float32(Float(try given.number(quantity))))
      }
      guard let number = try given.optionalNumber(quantity) else { return nil }
      try refuseZero(number, row)
      return GGUFKey(name, .float32(Float(number)))
    }
  }

  /// Refuses a 0 that llama.cpp takes for an absent number.
  private func refuseZero(_ number: Double, _ row: Hyperparameter) throws(ModelError) {
    guard number == 0, row.ggufZero != nil else { return }
    throw .unsupported(
      model.path, "'\(row.config ?? "")' is 0, which llama.cpp takes for an absent multiplier")
  }

  private func count(_ quantity: Hyperparameter.Quantity) throws -> Int? {
    if [.headDimension, .valueDimension].contains(quantity),
      architecture.gguf?.writesHeadSize == true
    {
      return try given.headSize()
    }
    let row = architecture.hyperparameters.first { $0.quantity == quantity }
    if case .required? = row?.absence { return try given.count(quantity) }
    return try given.optionalCount(quantity)
  }

  /// The multipliers that are derived from MiniCPM's config and stored in a GGUF file.
  private func multiplierKeys() throws -> [GGUFKey] {
    switch architecture.decoder?.multipliers {
    case .byDepth?:
      let scaling = try DepthScaling(given)
      guard scaling.embedding != 0, scaling.depth != 0, scaling.base != 0 else {
        throw ModelError.unsupported(
          model.path,
          "scale_emb, scale_depth or dim_model_base is 0, which llama.cpp takes for an absent multiplier"
        )
      }
      return scaling.keys(prefix)
    case .byDepthPublished?:
      let scaling = try DepthScaling(given)
      guard scaling.isPublished || options.allowDivergent else {
        throw ModelError.unsafe(
          model.path,
          "scale_emb is \(scaling.embedding), scale_depth \(scaling.depth) and dim_model_base \(scaling.base), but llama.cpp uses 12, 1.4 and 256 for every \(prefix); --allow-divergent converts it anyway"
        )
      }
      return []
    default: return []
    }
  }

  /// The sizes of heads in latent attention, which rotates only the last part.
  private func latentKeys() throws -> [GGUFKey] {
    guard architecture.rope.dimensions == .latent else { return [] }
    let head = try given.count(.unrotatedDimension) + model.geometry.rotaryDimensions
    var keys = [GGUFKey("\(prefix).attention.key_length", .uint32(UInt32(head)))]
    if try given.optionalCount(.valueDimension) == nil {
      let value = try given.count(.hidden) / given.count(.heads)
      keys.append(GGUFKey("\(prefix).attention.value_length", .uint32(UInt32(value))))
    }
    return keys
  }

  /// The record of a patch, as `apply` writes it.
  private var mark: [GGUFKey] {
    guard let mark = model.config.value[PatchMark.member] else { return [] }
    return ["version", "factors_sha256"].compactMap { name in
      mark[name]?.text.map { GGUFKey("\(PatchMark.member).\(name)", .string($0)) }
    }
  }

  private static func name(of path: String) -> String {
    FileSystem.name(of: (try? FileSystem.resolved(path)) ?? path)
  }

  /// The number of parameters in the notation of llama.cpp's tools: 125M, or 16x4.2B with experts.
  static func sizeLabel(_ tensors: [PlannedTensor]) -> String {
    let stacks = tensors.filter { $0.name.contains("_exps.") && $0.shape.count == 3 }
    let experts = stacks.first?.shape[0] ?? 0
    let count = tensors.reduce(0) { sum, tensor in
      sum
        + (tensor.name.contains("_exps.") && tensor.shape.count == 3
          ? tensor.elements / experts : tensor.elements)
    }
    let (scale, unit): (Double, String) =
      count > 1_000_000_000_000
      ? (1e-12, "T")
      : count > 1_000_000_000 ? (1e-9, "B") : count > 1_000_000 ? (1e-6, "M") : (1e-3, "K")
    let size = Double(count) * scale
    let whole = size.rounded(.toNearestOrEven)
    let digits = whole == 0 ? 0 : String(Int(whole)).count
    let text = size.decimal(places: max(2 - digits, 0))
    return experts > 0 ? "\(experts)x\(text)\(unit)" : "\(text)\(unit)"
  }

  /// `general.file_type` for the requested type, or for the type of most numbers in matrices.
  static func fileType(_ tensors: [PlannedTensor], _ options: ConversionOptions) -> UInt32 {
    if let type = options.type.stored?.fileType { return type }
    var counts: [ElementType: Int] = [:]
    for tensor in tensors where tensor.shape.count > 1 {
      counts[tensor.type, default: 0] += tensor.elements
    }
    let most = counts.max { ($0.value, $1.key.name) < ($1.value, $0.key.name) }?.key ?? .f32
    // llama.cpp's number for a guessed type, used for types without a number.
    return most.fileType ?? 1024
  }
}

/// Chooses the type of a tensor in a GGUF file.
struct GGUFTypeChoice {
  private let asked: ElementType?

  init(_ type: TensorType) { asked = type.stored }

  /// The type of a tensor.
  ///
  /// Vectors, norms, biases and routers are 32-bit floats, because llama.cpp supports nothing else
  /// for them.
  func type(
    of name: String, shape: [Int], _ stored: ModelTensor, _ path: String
  ) throws(ModelError) -> ElementType {
    guard stored.type.canUnpack else { throw stored.unconvertible(path) }
    let isMatrix =
      shape.count > 1 && name.hasSuffix(".weight") && !name.hasSuffix("_norm.weight")
      && !name.contains("ffn_gate_inp.")
    guard isMatrix else { return .f32 }
    return (asked ?? stored.type).fitting(columns: shape.last ?? 1)
  }
}

extension Double {
  /// The number as text with some digits after the point.
  func decimal(places: Int) -> String {
    guard places > 0 else { return String(Int(rounded(.toNearestOrEven))) }
    var unit = 1
    for _ in 0..<places { unit *= 10 }
    let scaled = Int((self * Double(unit)).rounded(.toNearestOrEven))
    let fraction = String(scaled % unit)
    return "\(scaled / unit)." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
