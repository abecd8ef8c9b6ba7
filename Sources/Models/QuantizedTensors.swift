import Formats

/// Pairs quantised weights with their scales.
///
/// The result has one tensor for each matrix, under the name of an unquantised model.
struct QuantizedTensors {
  /// Numbers that belong to the products or the cache of a runtime, not to the weights.
  private static let runtimeSuffixes = [
    "input_scale", "output_scale", "activation_scale", "input_zero_point", "output_zero_point",
    "q_scale", "k_scale", "v_scale", "k_zero_point", "v_zero_point", "qscale_act",
  ]

  private let quantization: WeightQuantization?
  private let path: String
  /// The type in the config.
  private let type: ElementType?
  private let byName: [String: ModelTensor]
  private var used: Set<String> = []

  private init(_ tensors: [ModelTensor], of folder: ModelFolder) throws(ModelError) {
    quantization = try folder.weightQuantization()
    path = folder.path
    type = folder.storedType
    byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The tensors of a folder, with quantised weights as matrices that are unpacked when they are
  /// read.
  /// - Throws: `ModelError` for a quantisation that is not unpacked, and for scales and the like
  ///   that are missing or misshapen.
  static func paired(
    _ tensors: [ModelTensor], of folder: ModelFolder
  ) throws(ModelError) -> [ModelTensor] {
    var pairing = try QuantizedTensors(tensors, of: folder)
    var result: [ModelTensor] = []
    for tensor in tensors { result.append(try pairing.paired(tensor)) }
    guard pairing.quantization != nil else { return result }
    guard result.contains(where: { $0.scaled != nil }) else {
      throw .unsupported(
        "\(folder.path)/\(ModelFolder.configName)",
        "'quantization_config' declares quantised weights, but no tensor is stored so; remove it if the weights are plain"
      )
    }
    return result.filter { !pairing.used.contains($0.name) || $0.scaled != nil }
  }

  private mutating func paired(_ tensor: ModelTensor) throws(ModelError) -> ModelTensor {
    let stem = tensor.name.prefix(upTo: tensor.name.lastIndex(of: ".") ?? tensor.name.startIndex)
    let suffix = tensor.name.dropFirst(stem.count + 1)
    if quantization != nil, Self.runtimeSuffixes.contains(String(suffix)) {
      used.insert(tensor.name)
      return tensor
    }
    switch (quantization, suffix) {
    case (nil, _):
      // Weights that were only rounded to 8-bit floats.
      guard tensor.isFloat8 else { return tensor }
      return try scaled(tensor, stem: String(stem), block: nil, isOptional: true)
    case (.scaled(let block), _), (.compressed(_, let block), "weight"):
      guard tensor.isFloat8 || tensor.isInt8 else { return tensor }
      return try scaled(tensor, stem: String(stem), block: block, isOptional: false)
    case (.compressed(let bits?, _), "weight_packed"):
      return try packed(tensor, stem: String(stem), bits: bits)
    case (.gptq(let bits, let offset), "qweight"):
      return try gptq(tensor, stem: String(stem), bits: bits, zeroOffset: offset)
    case (.awq, "qweight"): return try awq(tensor, stem: String(stem))
    default: return tensor
    }
  }

  // MARK: The layouts

  /// Bytes (rows, columns) with one scale for all, for each row, or for each block.
  private mutating func scaled(
    _ tensor: ModelTensor, stem: String, block: [Int]?, isOptional: Bool
  ) throws(ModelError) -> ModelTensor {
    guard let table = ScaledMatrix.Codes.table(tensor.type) else {
      throw .unsupported(path, "tensor '\(tensor.name)' is \(tensor.type), which is not unpacked")
    }
    let names = ["weight_scale", "weight_scale_inv"].map { "\(stem).\($0)" }
    guard let scale = names.compactMap({ take($0) }).first else {
      guard isOptional else { throw missing(names[0]) }
      let columns = tensor.shape.last ?? 1
      return replaced(
        tensor, stem: nil,
        ScaledMatrix(
          .bytes(tensor.stored, table), scales: nil, zeros: .constant(0),
          groups: .consecutive(columns), type: type ?? .bf16, rows: tensor.elements / columns,
          columns: columns))
    }
    let (rows, columns) = try sides(tensor)
    let (scales, width) = try grid(scale, rows, columns, block, of: tensor)
    var zeros = ScaledMatrix.Zeros.constant(0)
    if let zero = take("\(stem).weight_zero_point") {
      guard zero.isInt8, zero.elements == scale.elements else {
        throw misshapen(zero, "\(scale.shape) of I8")
      }
      zeros = .bytes(zero.stored)
    }
    return replaced(
      tensor, stem: stem,
      ScaledMatrix(
        .bytes(tensor.stored, table), scales: scales, zeros: zeros, groups: .consecutive(width),
        type: tensor.isFloat8 ? type ?? rounding(scale) : rounding(scale), rows: rows,
        columns: columns))
  }

  /// compressed-tensors' packed integers: the rows one after another.
  private mutating func packed(
    _ tensor: ModelTensor, stem: String, bits: Int
  ) throws(ModelError) -> ModelTensor {
    let shape = try integers(take("\(stem).weight_shape"), "\(stem).weight_shape")
    guard shape.count == 2, let (rows, columns) = Optional((shape[0], shape[1])),
      rows > 0, columns > 0, columns <= 1 << 28,
      tensor.type == .i32, tensor.shape == [rows, PackedIntegers.words(columns, bits: bits)]
    else { throw misshapen(tensor, "the words of \(shape) numbers of \(bits) bits") }
    let scale = try require("\(stem).weight_scale")
    let (scales, width) = try grid(scale, rows, columns, nil, of: tensor)
    var zeros = ScaledMatrix.Zeros.constant(Float(1 << (bits - 1)))
    if let zero = take("\(stem).weight_zero_point") {
      let words = [PackedIntegers.words(rows, bits: bits), scales.groups]
      guard zero.type == .i32, zero.shape == words else { throw misshapen(zero, "\(words) of I32") }
      zeros = .packed(
        PackedIntegers(columns: zero.stored, bits: bits, lines: scales.groups), offset: 0)
    }
    return replaced(
      tensor, stem: stem,
      ScaledMatrix(
        .packedRows(PackedIntegers(rows: tensor.stored, bits: bits, length: columns)),
        scales: scales, zeros: zeros,
        groups: try groups("\(stem).weight_g_idx", columns, scales.groups, width),
        type: rounding(scale), rows: rows, columns: columns))
  }

  /// GPTQ: words along the columns, all rows' first words first.
  private mutating func gptq(
    _ tensor: ModelTensor, stem: String, bits: Int, zeroOffset: Float
  ) throws(ModelError) -> ModelTensor {
    guard tensor.type == .i32, tensor.shape.count == 2, tensor.shape[0] * 32 % bits == 0 else {
      throw misshapen(tensor, "(columns / \(32 / bits), rows) of I32")
    }
    let (rows, columns) = (tensor.shape[1], tensor.shape[0] * 32 / bits)
    let (scale, zero, count) = try groupTensors(stem, rows: rows, columns: columns, bits: bits)
    let zeros = PackedIntegers(rows: zero.stored, bits: bits, length: rows)
    if zeroOffset != 0, zeros.contains(1 << UInt32(bits) - 1, lines: count, length: rows) {
      throw .unsupported(
        path,
        "tensor '\(zero.name)' stores a zero point of 0 in GPTQ's first format, which runtimes read differently; use a file in the format 'gptq_v2'"
      )
    }
    return replaced(
      tensor, stem: stem,
      ScaledMatrix(
        .packedRows(PackedIntegers(columns: tensor.stored, bits: bits, lines: rows)),
        scales: .init(
          scale.stored, scale.type, blockRows: 1, blocks: rows, groups: count, isTransposed: true),
        zeros: .packed(zeros, offset: zeroOffset),
        groups: try groups("\(stem).g_idx", columns, count, columns / count),
        type: rounding(scale), rows: rows, columns: columns))
  }

  /// AWQ: a line for each column.
  private mutating func awq(
    _ tensor: ModelTensor, stem: String
  ) throws(ModelError) -> ModelTensor {
    guard tensor.type == .i32, tensor.shape.count == 2 else {
      throw misshapen(tensor, "(columns, rows / 8) of I32")
    }
    let (rows, columns) = (tensor.shape[1] * 8, tensor.shape[0])
    let (scale, zero, count) = try groupTensors(stem, rows: rows, columns: columns, bits: 4)
    func packed(_ tensor: ModelTensor) -> PackedIntegers {
      PackedIntegers(rows: tensor.stored, bits: 4, length: rows, order: .evenFirst)
    }
    return replaced(
      tensor, stem: stem,
      ScaledMatrix(
        .packedColumns(packed(tensor)),
        scales: .init(
          scale.stored, scale.type, blockRows: 1, blocks: rows, groups: count, isTransposed: true),
        zeros: .packed(packed(zero), offset: 0), groups: .consecutive(columns / count),
        type: rounding(scale), rows: rows, columns: columns))
  }

  // MARK: Their parts

  /// The scales (groups, rows) and the zero points of GPTQ and AWQ.
  private mutating func groupTensors(
    _ stem: String, rows: Int, columns: Int, bits: Int
  ) throws(ModelError) -> (scale: ModelTensor, zero: ModelTensor, groups: Int) {
    let (scale, zero) = (try require("\(stem).scales"), try require("\(stem).qzeros"))
    guard scale.shape.count == 2, scale.shape[1] == rows, let groups = scale.shape.first,
      groups > 0, columns % groups == 0, isKnown(scale)
    else { throw misshapen(scale, "(groups of columns, \(rows)) of 16- or 32-bit floats") }
    let words = [groups, PackedIntegers.words(rows, bits: bits)]
    guard zero.type == .i32, zero.shape == words else { throw misshapen(zero, "\(words) of I32") }
    return (scale, zero, groups)
  }

  /// Scales for blocks of rows and columns: one for all, one for each row, or a grid.
  private func grid(
    _ scale: ModelTensor, _ rows: Int, _ columns: Int, _ block: [Int]?, of tensor: ModelTensor
  ) throws(ModelError) -> (ScaledMatrix.Scales, width: Int) {
    var shape = scale.shape.isEmpty ? [1] : scale.shape
    if shape.count == 1 { shape.append(1) }
    guard shape.count == 2, shape.allSatisfy({ $0 > 0 }), isKnown(scale) else {
      throw misshapen(scale, "one scale, a column or a grid of them, in 16 or 32 bits")
    }
    var (height, width) = (rows / shape[0], columns / shape[1])
    if let block, shape != [1, 1] {
      (height, width) = (block[0], block[1])
      let sides = [(rows + height - 1) / height, (columns + width - 1) / width]
      guard shape == sides else { throw misshapen(scale, "\(sides) for blocks of \(block)") }
    } else if rows % shape[0] != 0 || columns % shape[1] != 0 {
      throw misshapen(scale, "a grid that divides the shape \([rows, columns]) of '\(tensor.name)'")
    }
    let scales = ScaledMatrix.Scales(
      scale.stored, scale.type, blockRows: height, blocks: shape[0], groups: shape[1])
    return (scales, width)
  }

  /// The group of each column: consecutive ones, unless a tensor lists them in another order.
  private mutating func groups(
    _ name: String, _ columns: Int, _ count: Int, _ width: Int
  ) throws(ModelError) -> ScaledMatrix.Groups {
    guard let list = take(name) else { return .consecutive(width) }
    let groups = try integers(list, name)
    guard groups.count == columns, groups.allSatisfy({ (0..<count).contains($0) }) else {
      throw misshapen(list, "\(columns) numbers below \(count)")
    }
    let isPlain = groups.indices.allSatisfy { groups[$0] == $0 / width }
    return isPlain ? .consecutive(width) : .listed(groups.map { Int32($0) })
  }

  /// The numbers of a short list of integers.
  private func integers(_ tensor: ModelTensor?, _ name: String) throws(ModelError) -> [Int] {
    guard let tensor else { throw missing(name) }
    let width = tensor.byteCount / max(1, tensor.elements)
    guard tensor.type.isInteger, [4, 8].contains(width), tensor.elements <= 1 << 28 else {
      throw misshapen(tensor, "a list of 32- or 64-bit integers")
    }
    return tensor.stored.integers(width: width)
  }

  /// The type of the unpacked numbers: that of the scales if it has 16 bits.
  private func rounding(_ scale: ModelTensor) -> ElementType {
    scale.type == .f16 || scale.type == .bf16 ? scale.type : type ?? .f32
  }

  private func isKnown(_ scale: ModelTensor) -> Bool {
    ScaledMatrix.Scales.types.contains(scale.type)
  }

  private func sides(_ tensor: ModelTensor) throws(ModelError) -> (rows: Int, columns: Int) {
    guard tensor.shape.count == 2, tensor.elements > 0 else {
      throw misshapen(tensor, "a matrix")
    }
    return (tensor.shape[0], tensor.shape[1])
  }

  private func replaced(
    _ tensor: ModelTensor, stem: String?, _ matrix: ScaledMatrix
  ) -> ModelTensor {
    var result = tensor
    if let stem { result.name = "\(stem).weight" }
    result.plainName = result.name
    if tensor.shape.count == 2 { result.shape = [matrix.rows, matrix.columns] }
    result.type = matrix.type
    result.scaled = matrix
    return result
  }

  private mutating func take(_ name: String) -> ModelTensor? {
    guard let tensor = byName[name] else { return nil }
    used.insert(name)
    return tensor
  }

  private mutating func require(_ name: String) throws(ModelError) -> ModelTensor {
    guard let tensor = take(name) else { throw missing(name) }
    return tensor
  }

  private func missing(_ name: String) -> ModelError {
    .unsupported(path, "tensor '\(name)' is missing")
  }

  private func misshapen(_ tensor: ModelTensor, _ expected: String) -> ModelError {
    .unsupported(
      path, "tensor '\(tensor.name)' is \(tensor.type) \(tensor.shape), expected \(expected)")
  }
}

extension ModelTensor {
  fileprivate var stored: StoredBytes { StoredBytes(file: file, range: range) }
  fileprivate var isFloat8: Bool { ["F8_E4M3", "F8_E5M2"].contains(type.name) }
  fileprivate var isInt8: Bool { type.name == "I8" }
}
