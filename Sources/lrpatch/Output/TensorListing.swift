import Formats
import Models
import Patch
import Release

/// `inspect --tensors`: every tensor, and a GGUF file's keys.
struct TensorListing {
  private var keys: [GGUFKey] = []
  private var rows: [TensorSummary] = []

  init(_ session: borrowing ModelSession) throws {
    switch session.format {
    case .gguf:
      for path in try GGUFModel.shardPaths(of: session.path) { try add(GGUFFile(path: path)) }
    case .folder:
      guard let weights = try SafetensorsFolder(path: session.path) else {
        throw FormatError(.invalidDescription("no safetensors weights")).inFile(session.path)
      }
      for shard in weights.shards {
        let file = try SafetensorsFile(path: "\(session.path)/\(shard.name)")
        rows += shard.header.tensors.map { TensorSummary($0, in: file, shard: shard.name) }
      }
    }
  }

  private mutating func add(_ file: borrowing GGUFFile) {
    let shard = FileSystem.name(of: file.path)
    if keys.isEmpty { keys = file.header.keys }
    for tensor in file.header.tensors { rows.append(TensorSummary(tensor, in: file, shard: shard)) }
  }

  var members: [JSONMember] {
    let listed = JSONMember("tensors", .array(rows.map(\.json)))
    guard !keys.isEmpty else { return [listed] }
    let metadata = keys.map { JSONMember($0.name, $0.value.json) }
    return [JSONMember("metadata", .object(metadata)), listed]
  }

  var text: String {
    var lines: [String] = []
    if !keys.isEmpty {
      let rows = keys.map { [$0.name.sanitized, $0.value.type.name, $0.value.summary] }
      lines += ["Keys"] + TextColumns.lines(rows).map { "  " + $0 } + [""]
    }
    let header = ["tensor", "type", "shape", "offset", "bytes", "minimum", "maximum", "mean"]
    lines.append("Tensors")
    lines += TextColumns.lines([header] + rows.map(\.cells)).map { "  " + $0 }
    return lines.joined(separator: "\n")
  }
}

/// One row of the listing.
struct TensorSummary {
  var name: String
  var type: ElementType
  var shape: [Int]
  var offset: Int
  var byteCount: Int
  var shard: String
  var statistics: TensorStatistics?

  init(_ tensor: GGUFTensor, in file: borrowing GGUFFile, shard: String) {
    self.init(
      tensor.name, type: tensor.type, shape: tensor.shape, file.dataRange(of: tensor), of: file.map,
      shard: shard)
  }

  init(_ tensor: SafetensorsTensor, in file: borrowing SafetensorsFile, shard: String) {
    self.init(
      tensor.name, type: tensor.dtype, shape: tensor.shape, file.dataRange(of: tensor),
      of: file.map,
      shard: shard)
  }

  private init(
    _ name: String, type: ElementType, shape: [Int], _ range: Range<Int>,
    of file: borrowing MappedFile,
    shard: String
  ) {
    self.name = name
    self.type = type
    self.shape = shape
    offset = range.lowerBound
    byteCount = range.count
    self.shard = shard
    statistics = TensorStatistics(type: type, range, of: file)
  }

  var json: JSONValue {
    .object([
      "name": .string(name), "type": .string(type.name),
      "shape": .array(shape.map { .number($0) }),
      "offset": .number(offset), "bytes": .number(byteCount), "shard": .string(shard),
      "statistics": statistics?.json ?? .null,
    ])
  }

  var cells: [String] {
    let extents = shape.map(String.init).joined(separator: " x ")
    let numbers = statistics.map { [$0.minimum, $0.maximum, $0.mean].map(\.sixDigits) }
    return [name.sanitized, type.name, extents, String(offset), String(byteCount)]
      + (numbers ?? ["-", "-", "-"])
  }
}

extension GGUFValue {
  /// Type and value as gguf-py names them; arrays by their element type and count.
  var json: JSONValue {
    if case .array(let array) = self {
      return .object([
        "type": .string(type.name), "element_type": .string(array.elementType.name),
        "count": .number(array.count),
      ])
    }
    let value: JSONValue =
      switch self {
      case .string(let text): .string(text)
      case .bool(let flag): .bool(flag)
      case .uint64(let number): .number(String(number))
      case .float32(let number) where number.isFinite: .number(number.asDecimal)
      case .float64(let number) where number.isFinite: .number(number)
      case .float32, .float64: .string(summary)
      default: .number(integer ?? 0)
      }
    return .object(["type": .string(type.name), "value": value])
  }
}
