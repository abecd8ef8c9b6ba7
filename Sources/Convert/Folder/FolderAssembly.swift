import Formats
import Patch
import Verify

/// Makes a model folder: of another one, or of a GGUF model.
struct FolderAssembly {
  let source: SourceModel
  let options: ConversionOptions

  func contents() throws -> FolderContents {
    switch source.description {
    case .folder(let model): try retyped(model)
    case .gguf(let model): try unpacked(model)
    }
  }

  // MARK: Of a folder

  /// The same tensors in other types or files; all other files as they are.
  private func retyped(_ model: HuggingFaceModel) throws -> FolderContents {
    let tensors = try source.tensors.map { PlannedTensor($0.name, $0, as: try type(of: $0)) }
    let patched = try model.patched(by: options)
    var config = patched.config
    if let type = options.type.stored { try Self.set(type, in: &config, at: model.location) }
    let weights = Set(source.tensors.map { FileSystem.name(of: $0.file.map.path) })
    let texts =
      [(HuggingFaceModel.configName, config.bytes)]
      + (patched.tokenizerConfig.map { [(HuggingFaceModel.tokenizerConfigName, $0.bytes)] } ?? [])
    let undo = UndoFolder.name
    let hasHistory = FileSystem.exists("\(model.path)/\(undo)")
    return try FolderContents(
      tensors: tensors, texts: texts,
      carried: (model.path, weights.union(texts.map(\.0) + [FolderContents.indexName, undo])),
      remarks: hasHistory ? ["the means to revert earlier patches stay with \(model.path)"] : [],
      maximumShardBytes: options.maximumShardBytes)
  }

  /// Numbers of 16 bits and more change; all else stays as it is.
  private func type(of stored: StoredTensor) throws -> String {
    guard let type = options.type.stored else { return stored.typeName }
    if stored.type != nil { return type.rawValue }
    guard stored.typeName.hasPrefix("I") || stored.typeName.hasPrefix("U") || stored.typeName == "BOOL" else {
      throw PatchError.unsupported(
        source.path, "tensor '\(stored.name)' is \(stored.typeName), which cannot be converted")
    }
    return stored.typeName
  }

  /// The name that the config uses already, or transformers' older one.
  private static func set(_ type: WeightType, in config: inout JSONDocument, at location: [String]) throws {
    let names = ["dtype", "torch_dtype"]
    let text = location.reduce(config.value) { $0[$1] ?? .null }
    let present = names.filter { text[$0] != nil }
    for name in present.isEmpty ? ["torch_dtype"] : present {
      try config.set(location + [name], to: .string(type.configName))
    }
  }

  // MARK: Of a GGUF model

  private func unpacked(_ model: GGUFModel) throws -> FolderContents {
    let family = try GGUFConfig.family(of: model)
    let layers = try model.count("block_count")
    let experts = try model.optionalCount("expert_count") ?? 0
    guard layers <= source.tensors.count, experts <= source.tensors.count else {
      throw PatchError.unsupported(source.path, "\(layers) layers, but \(source.tensors.count) tensors")
    }
    var pool = TensorPool(source)
    let main = try mainType()
    var tensors: [PlannedTensor] = []
    for named in family.tensors(layers: layers, experts: experts) {
      guard let stored = try pool.take([named.gguf], isRequired: named.isRequired)?.first else { continue }
      tensors += try plan(named, stored, model, main)
    }
    try pool.requireEmpty(
      except: { ["rope_freqs.weight", GGUFModel.longName, GGUFModel.shortName].contains($0) }, family)
    let config = try GGUFConfig(model, family, hasTensor: Set(source.tensors.map(\.name)).contains, type: main)
    let tokenizer = try TokenizerTexts(GGUFFile(path: model.path), path: model.path)
    let patched = try HuggingFaceModel(config: config.document, path: source.path).patched(by: options)
    return try FolderContents(
      tensors: tensors, texts: [(HuggingFaceModel.configName, patched.config.bytes)] + tokenizer.texts, carried: nil,
      remarks: config.remarks + tokenizer.remarks, maximumShardBytes: options.maximumShardBytes)
  }

  /// What matrices become: the type asked for; else that of most numbers, or f16 where these are quantised.
  private func mainType() throws -> WeightType {
    if let type = options.type.stored { return type }
    var counts: [WeightType: Int] = [:]
    for tensor in source.tensors where tensor.shape.count > 1 {
      guard let type = tensor.type else {
        throw PatchError.unsupported(
          source.path, "tensor '\(tensor.name)' is \(tensor.typeName), which cannot be converted")
      }
      counts[type, default: 0] += tensor.elements
    }
    let most = counts.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key ?? .f32
    return most.storesAnyFloat ? most : .f16
  }

  private func plan(
    _ named: NamedTensor, _ stored: StoredTensor, _ model: GGUFModel, _ main: WeightType
  ) throws -> [PlannedTensor] {
    let order: PlannedTensor.RowOrder =
      switch named.turn {
      case .none: .same
      case .queries: .neighboursToHalves(heads: try model.count("attention.head_count"))
      case .keys:
        .neighboursToHalves(
          heads: try model.optionalCount("attention.head_count_kv") ?? model.count("attention.head_count"))
      }
    if let heads = order.heads, heads < 1 || stored.shape[0] % (2 * heads) != 0 {
      throw PatchError.unsupported(
        source.path, "tensor '\(stored.name)' has \(stored.shape[0]) rows, which are no \(heads) heads of pairs")
    }
    if named.folder.count == 1, !named.gguf.contains("_exps.") {
      return [PlannedTensor(named.folder[0], stored, as: type(of: stored, main), order: order)]
    }
    guard stored.shape.first == named.folder.count else {
      throw PatchError.unsupported(
        source.path, "tensor '\(stored.name)' has \(stored.shape.first ?? 0) experts, expected \(named.folder.count)")
    }
    return named.folder.enumerated().map { index, name in
      PlannedTensor(name, stored.part(index, of: named.folder.count), as: type(of: stored, main))
    }
  }

  /// Norms and biases are 32-bit floats in every GGUF file. Where nothing was asked for they take the others' type, unless
  /// that would lose something.
  private func type(of stored: StoredTensor, _ main: WeightType) -> String {
    if options.type == .auto, stored.type == .f32, main != .f32, !stored.isExact(as: main) {
      return WeightType.f32.rawValue
    }
    if options.type == .auto, let own = stored.type, own.storesAnyFloat, own != .f32 { return own.rawValue }
    return main.rawValue
  }
}

extension StoredTensor {
  /// Whether 32-bit floats are the same when they have gone through a type of 16 bits.
  fileprivate func isExact(as type: WeightType) -> Bool {
    guard type == .bf16 || type == .f16 else { return type == .f32 }
    var isExact = true
    file.map.visit(range) { piece in
      for value in file.map.floats(in: piece) {
        let survives = type == .bf16 ? value.bitPattern & 0xFFFF == 0 : value.isNaN || Float(Float16(value)) == value
        guard survives else {
          isExact = false
          return false
        }
      }
      return true
    }
    return isExact
  }
}

extension MappedFile {
  fileprivate borrowing func floats(in range: Range<Int>) -> [Float] {
    let bytes = bytes
    return stride(from: range.lowerBound, to: range.upperBound, by: 4).map {
      Float(bitPattern: bytes.load(UInt32.self, at: $0))
    }
  }
}

extension WeightType {
  /// As config.json names it.
  var configName: String {
    switch self {
    case .f32: "float32"
    case .bf16: "bfloat16"
    default: "float16"
    }
  }
}

extension GGUFModel {
  /// - Parameter key: after the architecture's prefix.
  func optionalCount(_ key: String) throws(PatchError) -> Int? {
    let name = "\(geometry.architecture).\(key)"
    guard let value = first.header[key: name] else { return nil }
    guard let number = value.integer, (0...Int(Int32.max)) ~= number else {
      throw .unsupported(path, "the key '\(name)' is no whole number from 0 to \(Int32.max)")
    }
    return number
  }

  func count(_ key: String) throws(PatchError) -> Int {
    guard let number = try optionalCount(key), number > 0 else {
      throw .unsupported(path, "the key '\(geometry.architecture).\(key)' is missing or 0")
    }
    return number
  }

  func optionalNumber(_ key: String) -> Double? {
    first.header[key: "\(geometry.architecture).\(key)"].flatMap { value in
      if case .float32(let number) = value { return number.asDecimal }
      return value.double ?? value.integer.map(Double.init)
    }
  }
}
