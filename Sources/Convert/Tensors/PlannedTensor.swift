import Formats
import Verify

/// A tensor that will be written: what it is made of, and as what it is stored.
struct PlannedTensor: Sendable {
  /// How the rows of a projection are ordered within each head.
  enum RowOrder: Equatable, Sendable {
    case same
    /// From halves, as Hugging Face has the two dimensions of a rotated pair, to neighbours, as llama.cpp does.
    case halvesToNeighbours(heads: Int)
    case neighboursToHalves(heads: Int)
  }

  enum Source: Sendable {
    /// One after another along the first dimension.
    case stored([StoredTensor], RowOrder)
    case values([Float])
  }

  var name: String
  /// The slowest-varying dimension first.
  var shape: [Int]
  /// As the output names it.
  var typeName: String
  var source: Source

  var type: WeightType? { WeightType(rawValue: typeName) }
  var elements: Int { shape.reduce(1, *) }

  /// Numbers and bytes of a block; of a type that is only copied, as if each byte were a number.
  var block: (elements: Int, bytes: Int) { type?.block ?? (1, 1) }

  var byteCount: Int {
    if let block = type?.block { return elements / block.elements * block.bytes }
    guard case .stored(let parts, _) = source else { return 4 * elements }
    return parts.reduce(0) { $0 + $1.byteCount }
  }

  /// Whether the bytes are those of the sources, one after another.
  var isCopy: Bool {
    guard case .stored(let parts, .same) = source else { return false }
    return parts.allSatisfy { $0.typeName == typeName }
  }

  init(_ name: String, shape: [Int], as typeName: String, _ source: Source) {
    self.name = name
    self.shape = shape
    self.typeName = typeName
    self.source = source
  }

  /// One stored tensor under another name.
  init(_ name: String, _ stored: StoredTensor, as typeName: String, order: RowOrder = .same) {
    self.init(name, shape: stored.shape, as: typeName, .stored([stored], order))
  }

  /// 32-bit floats that no file holds.
  init(_ name: String, floats values: [Float]) {
    self.init(name, shape: [values.count], as: WeightType.f32.rawValue, .values(values))
  }

  /// The length of the rows that are turned into blocks, and how many there are. Of a vector whose order changes, each
  /// number is a row.
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
  /// The row of a matrix of so many rows that comes at `row`.
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
