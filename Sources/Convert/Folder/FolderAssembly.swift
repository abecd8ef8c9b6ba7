import Formats
import Inference
import Models
import Numerics
import Patch

/// Plans a model folder, from another folder or from a GGUF model.
struct FolderAssembly {
  let source: ConversionSource
  let options: ConversionOptions

  func contents() throws -> FolderContents {
    switch source.model {
    case .folder(let model): try retyped(model)
    case .gguf(let model): try unpacked(model)
    }
  }

  // MARK: From a folder

  /// The tensors in other types or files.
  ///
  /// All other files stay the same.
  private func retyped(_ model: ModelFolder) throws -> FolderContents {
    let tensors = try (source.tensors.all + source.tensors.otherParts).map {
      PlannedTensor($0.name, $0, as: try type(of: $0))
    }
    let patched = try model.patched(by: options)
    var config = patched.config
    if let type = options.type.stored { try Self.set(type, in: &config, at: model.location) }
    let quantization = try model.quantizationRemark()
    if quantization != nil { try Self.removeQuantization(in: &config, at: model.location) }
    let weights = Set(source.tensors.paths.map(FileSystem.name(of:)))
    let strays = try FileSystem.names(in: model.path).filter {
      $0.hasSuffix(".safetensors") && !weights.contains($0)
    }.sorted()
    let texts =
      [(ModelFolder.configName, config.bytes)]
      + (patched.tokenizerConfig.map { [(ModelFolder.tokenizerConfigName, $0.bytes)] } ?? [])
    let undo = UndoFolder.name
    let hasHistory = FileSystem.exists("\(model.path)/\(undo)")
    return try FolderContents(
      tensors: tensors, texts: texts,
      carried: (
        model.path,
        weights.union(strays).union(texts.map(\.0) + [FolderContents.indexName, undo])
          .union(quantization == nil ? [] : Self.quantizationFiles)
      ),
      remarks: (quantization.map { [$0] } ?? [])
        + (hasHistory ? ["the undo records of earlier patches stay with \(model.path)"] : [])
        + strays.map { "\($0.sanitized) is left out: it is not among the model's weights" },
      maximumShardBytes: options.maximumShardBytes)
  }

  /// The type of a tensor in the output.
  ///
  /// Integers keep their type.
  private func type(of stored: ModelTensor) throws -> ElementType {
    guard let type = options.type.stored else { return stored.type }
    if stored.type.canUnpack { return type }
    guard stored.type.isInteger else { throw stored.unconvertible(source.path) }
    return stored.type
  }

  /// Files in which quantizers repeat the config's member.
  private static let quantizationFiles: Set<String> = [
    "quantize_config.json", "quant_config.json", "hf_quant_config.json",
  ]

  /// Removes the members that declare the weights quantised.
  private static func removeQuantization(
    in config: inout JSONDocument, at location: [String]
  ) throws {
    for path in Set([[], location]).map({ $0 + ["quantization_config"] })
    where path.reduce(config.value, { $0[$1] ?? .null }) != .null {
      try config.remove(path)
    }
  }

  /// Sets the type in a config, under the name that the config already uses, or under the older
  /// name.
  private static func set(
    _ type: ElementType, in config: inout JSONDocument, at location: [String]
  ) throws {
    let names = ["dtype", "torch_dtype"]
    let text = location.reduce(config.value) { $0[$1] ?? .null }
    let present = names.filter { text[$0] != nil }
    for name in present.isEmpty ? ["torch_dtype"] : present {
      try config.set(location + [name], to: .string(type.configName))
    }
  }

  // MARK: From a GGUF model

  private func unpacked(_ model: GGUFModel) throws -> FolderContents {
    let architecture = try GGUFConfig.architecture(of: model)
    // Opening the model as for a run finds what llama.cpp refuses before anything is written.
    _ = try Transformer(source.model)
    _ = try Tokenizer(path: model.path)
    let given = model.hyperparameters
    let (layers, experts) = (try given.count(.layers), try given.optionalCount(.experts) ?? 0)
    let count = source.tensors.all.count
    guard layers <= count, experts <= count else {
      throw ModelError.unsupported(
        source.path,
        "declares \(layers) layers and \(experts) experts, but has only \(count) tensors")
    }
    var pool = TensorPool(source.tensors, of: source.model)
    let main = try mainType()
    var tensors: [PlannedTensor] = []
    let fillsBiases = architecture.hasSwitchedBias(pool, layers: layers)
    for named in architecture.namedTensors(layers: layers, experts: experts) {
      guard let stored = try pool.take([named.gguf], isRequired: named.isRequired)?.first else {
        if fillsBiases, named.isSwitchedBias, let rows = tensors.last?.shape.first {
          // A config turns all of these biases on together; zeros change nothing.
          tensors.append(
            PlannedTensor(named.folder[0], floats: Array(repeating: 0, count: rows)))
        }
        continue
      }
      guard named.hasFolderPlace else {
        throw ModelError.unsupported(
          source.path,
          """
          tensor '\(stored.name)' has no place in a folder of '\(architecture.name)', whose class \
          has no such bias
          """
        )
      }
      tensors += try plan(named, stored, model, main)
    }
    try pool.requireEmpty()
    let config = try GGUFConfig(
      model, architecture, hasTensor: Set(source.tensors.all.map(\.name)).contains, type: main)
    let tokenizer = try TokenizerTexts(GGUFFile(path: model.path), path: model.path)
    let folder = try ModelFolder(config: config.document, path: source.path)
    try requireSameRope(folder, as: model)
    let patched = try folder.patched(by: options)
    return try FolderContents(
      tensors: tensors, texts: [(ModelFolder.configName, patched.config.bytes)] + tokenizer.texts,
      carried: nil, remarks: config.remarks + tokenizer.remarks,
      maximumShardBytes: options.maximumShardBytes)
  }

  /// Refuses a file whose rotary embedding the config of this architecture cannot express.
  private func requireSameRope(_ folder: ModelFolder, as model: GGUFModel) throws {
    let intended = try Inspection(folder).readings[0]
    let own = try Inspection(model).readings[0]
    guard let wanted = own.long, let found = intended.long, found.isClose(to: wanted) else {
      throw ModelError.unsupported(
        source.path,
        """
        no config of '\(folder.architecture.name)' makes transformers rotate as llama.cpp does with \
        the keys of this file (\(own.long?.name ?? own.notes.first ?? "none"))
        """)
    }
  }

  /// The type of matrices in the output: the requested type, or the type of most numbers, or f16 if
  /// that type is quantized.
  private func mainType() throws -> ElementType {
    if let type = options.type.stored { return type }
    var counts: [ElementType: Int] = [:]
    for tensor in source.tensors.all where tensor.shape.count > 1 {
      guard tensor.type.canUnpack else { throw tensor.unconvertible(source.path) }
      counts[tensor.type, default: 0] += tensor.elements
    }
    let most = counts.max { ($0.value, $1.key.name) < ($1.value, $0.key.name) }?.key ?? .f32
    return most.isSingleNumber ? most : .f16
  }

  private func plan(
    _ named: NamedTensor, _ stored: ModelTensor, _ model: GGUFModel, _ main: ElementType
  ) throws -> [PlannedTensor] {
    let order: PlannedTensor.RowOrder =
      switch named.permutation {
      case .none: .same
      case .queries: .neighboursToHalves(heads: try model.hyperparameters.count(.heads))
      case .keys:
        .neighboursToHalves(
          heads: try model.hyperparameters.optionalCount(.keyValueHeads)
            ?? model.hyperparameters.count(.heads))
      }
    if let heads = order.heads, heads < 1 || stored.shape[0] % (2 * heads) != 0 {
      throw ModelError.unsupported(
        source.path,
        "tensor '\(stored.name)' has \(stored.shape[0]) rows, expected \(heads) heads of pairs"
      )
    }
    if named.folder.count == 1, !named.gguf.contains("_exps.") {
      return [PlannedTensor(named.folder[0], stored, as: type(of: stored, main), order: order)]
    }
    guard stored.shape.first == named.folder.count else {
      throw ModelError.unsupported(
        source.path,
        "tensor '\(stored.name)' has \(stored.shape.first ?? 0) experts, expected \(named.folder.count)"
      )
    }
    return named.folder.enumerated().map { index, name in
      PlannedTensor(name, stored.part(index, of: named.folder.count), as: type(of: stored, main))
    }
  }

  /// The type of a tensor in the output.
  ///
  /// Norms and biases are 32-bit floats in every GGUF file. By default they get the type of the
  /// matrices, unless that would lose precision.
  private func type(of stored: ModelTensor, _ main: ElementType) -> ElementType {
    if options.type == .auto, stored.type == .f32, main != .f32, !stored.isExact(as: main) {
      return .f32
    }
    if options.type == .auto, stored.type.isSingleNumber, stored.type != .f32 { return stored.type }
    return main
  }
}

extension ModelTensor {
  /// Whether conversion to a type of 16 bits keeps every number of a tensor of 32-bit floats.
  fileprivate func isExact(as type: ElementType) -> Bool {
    guard type == .bf16 || type == .f16 else { return type == .f32 }
    var isExact = true
    file.map.visit(range) { piece in
      for value in file.map.floats(in: piece) {
        let survives =
          type == .bf16
          ? value.bitPattern & 0xFFFF == 0 : value.isNaN || Float(Float16(value)) == value
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

extension ElementType {
  /// The name of the type in config.json.
  var configName: String {
    switch self {
    case .f32: "float32"
    case .bf16: "bfloat16"
    default: "float16"
    }
  }
}
