import Formats
import Inference
import Models
import Numerics
public import Patch

/// The differences between a folder and a GGUF file: between what a conversion of the folder would
/// write and what the file contains.
public enum ConversionDifference {
  /// Keys that describe the file or its making rather than the model.
  private static let ignored: Set<String> = [
    "general.name", "general.size_label", "general.file_type", "general.quantization_version",
    "general.type", "general.alignment",
  ]

  /// All differences: keys first, then tensors.
  ///
  /// `left` is the folder's side.
  /// - Parameter comparingData: whether to compare the numbers, in the types of the file. Types that
  ///   are only read are compared by shape.
  /// - Throws: `ModelError` for a folder that cannot be converted; `FormatError` or `FileError`.
  public static func entries(
    folder: borrowing ModelSession, file: borrowing ModelSession, comparingData: Bool
  ) throws -> [ModelDifference.Entry] {
    guard case .folder(let model) = try folder.open(), case .gguf(let written) = try file.open()
    else { preconditionFailure("a folder and a GGUF file are compared") }
    try model.architecture.requireConvertible(model.path)
    var options = ConversionOptions()
    options.name = "model"
    options.allowDivergent = true
    let contents = try GGUFAssembly(
      source: ConversionSource(.folder(model)), model: model, options: options
    ).contents()
    return try keys(contents, written)
      + tensors(contents, ModelTensors(.gguf(written)), comparingData)
  }

  // MARK: Keys

  private static func keys(
    _ contents: GGUFContents, _ file: GGUFModel
  ) throws -> [ModelDifference.Entry] {
    func compared(_ keys: [GGUFKey]) -> [String: GGUFValue] {
      let named = keys.filter { key in
        !ignored.contains(key.name) && !key.name.hasPrefix("lrpatch.")
          && !key.name.hasPrefix("split.")
      }
      return Dictionary(named.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
    let (own, other) = (compared(contents.keys), compared(file.first.header.keys))
    let map = try GGUFFile(path: file.shards[0].path)
    return Set(own.keys).union(other.keys).sorted().compactMap { name in
      means(own[name], other[name], in: map)
        ? nil
        : ModelDifference.Entry(.key, name, own[name]?.summary, other[name]?.summary)
    }
  }

  /// Whether a planned value is that of the file.
  ///
  /// An absent flag is off.
  private static func means(
    _ planned: GGUFValue?, _ stored: GGUFValue?, in file: borrowing GGUFFile
  ) -> Bool {
    switch (planned, stored) {
    case (.array(let left)?, .array(let right)?):
      left.elementType == right.elementType && left.count == right.count
        && file.hasElements(left, of: right)
    case (nil, .bool(false)?), (.bool(false)?, nil): true
    default: planned == stored
    }
  }

  // MARK: Tensors

  private static func tensors(
    _ contents: GGUFContents, _ file: ModelTensors, _ comparingData: Bool
  ) throws -> [ModelDifference.Entry] {
    var rest = Dictionary(
      file.all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let converter = RowConverter()
    var entries: [ModelDifference.Entry] = []
    for var planned in contents.tensors {
      guard let stored = rest.removeValue(forKey: planned.name) else {
        entries.append(.init(.tensor, planned.name, planned.summary, nil))
        continue
      }
      guard planned.shape == stored.shape else {
        entries.append(.init(.tensor, planned.name, planned.summary, stored.summary))
        continue
      }
      planned.type = stored.type
      guard comparingData, stored.type.canQuantize else { continue }
      if try !hasSameData(planned, stored, converter) {
        entries.append(
          .init(.tensor, planned.name, planned.summary, "\(stored.summary), other data"))
      }
    }
    entries += rest.values.sorted { $0.name < $1.name }
      .map { .init(.tensor, $0.name, nil, $0.summary) }
    return entries
  }

  /// Whether a tensor of the folder, stored in the type of the file, has the file's bytes.
  private static func hasSameData(
    _ planned: PlannedTensor, _ stored: ModelTensor, _ converter: RowConverter
  ) throws -> Bool {
    let block = planned.block
    for piece in RowConverter.pieces(planned) {
      let start = stored.offset + piece.lowerBound / block.elements * block.bytes
      var isSame = true
      try converter.convert(planned, piece) { bytes in
        isSame = stored.file.map.equals(bytes, at: start)
      }
      if !isSame { return false }
      RowConverter.release(planned, piece)
    }
    return true
  }
}

extension PlannedTensor {
  fileprivate var summary: String { "\(type.name) \(shape)" }
}

extension ModelTensor {
  fileprivate var summary: String { "\(type.name) \(shape)" }
}
