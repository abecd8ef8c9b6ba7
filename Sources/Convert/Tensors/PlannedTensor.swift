import Formats
import Models

/// A tensor of the output: its source, and its type in the output.
struct PlannedTensor: Sendable {
  /// How the rows of a projection are permuted within each head.
  enum RowOrder: Equatable, Sendable {
    /// Not at all.
    case same
    /// From pairs (i, i + d/2), as in Hugging Face's folders, to pairs (2i, 2i + 1), as in
    /// llama.cpp.
    case halvesToNeighbours(heads: Int)
    /// From pairs (2i, 2i + 1) to pairs (i, i + d/2).
    case neighboursToHalves(heads: Int)
  }

  /// Where the numbers come from.
  enum Source: Sendable {
    /// Stored tensors, concatenated along the first dimension.
    case stored([ModelTensor], RowOrder)
    /// Numbers in memory.
    case values([Float])
  }

  var name: String
  /// The slowest-varying dimension first.
  var shape: [Int]
  /// The type in the output.
  var type: ElementType
  var source: Source

  var elements: Int { shape.reduce(1, *) }

  /// The block of a type that can be converted.
  var block: ElementType.Block {
    guard let block = type.block else { preconditionFailure("\(type) is only copied") }
    return block
  }

  var byteCount: Int {
    if let block = type.block { return elements / block.elements * block.bytes }
    guard case .stored(let parts, _) = source else { return 4 * elements }
    return parts.reduce(0) { $0 + $1.byteCount }
  }

  /// Whether the bytes are the concatenated bytes of the sources.
  var isCopy: Bool {
    guard case .stored(let parts, .same) = source else { return false }
    return parts.allSatisfy { $0.type == type && $0.scaled == nil }
  }

  init(_ name: String, shape: [Int], as type: ElementType, _ source: Source) {
    self.name = name
    self.shape = shape
    self.type = type
    self.source = source
  }

  /// One stored tensor under another name.
  init(_ name: String, _ stored: ModelTensor, as type: ElementType, order: RowOrder = .same) {
    self.init(name, shape: stored.shape, as: type, .stored([stored], order))
  }

  /// 32-bit floats in memory.
  init(_ name: String, floats values: [Float]) {
    self.init(name, shape: [values.count], as: .f32, .values(values))
  }

  /// The number and the length of the rows that are divided into blocks.
  ///
  /// In a vector that is permuted, each number is a row.
  var rows: (count: Int, columns: Int) {
    let columns = shape.last ?? 1
    if shape.count < 2 {
      if case .stored(_, let order) = source, order != .same { return (columns, 1) }
      return (1, columns)
    }
    return (shape.dropLast().reduce(1, *), columns)
  }
}

extension PlannedTensor.RowOrder {
  /// The source row of an output row, in a matrix with `rows` rows.
  func source(of row: Int, rows: Int) -> Int {
    switch self {
    case .same: return row
    case .halvesToNeighbours(let heads):
      let width = rows / heads
      let (head, place) = (row / width, row % width)
      return head * width + place % 2 * (width / 2) + place / 2
    case .neighboursToHalves(let heads):
      let width = rows / heads
      let (head, place) = (row / width, row % width)
      return head * width + place % (width / 2) * 2 + place / (width / 2)
    }
  }

  var heads: Int? {
    switch self {
    case .same: nil
    case .halvesToNeighbours(let heads), .neighboursToHalves(let heads): heads
    }
  }
}
