/// Keys and values of one layer, for all rows of a batch.
final class LayerKeys: Sendable {
  /// (rows, keyValueHeads * headDimension), rotated.
  let keys: Matrix
  /// (rows, keyValueHeads * valueDimension)
  let values: Matrix

  init(rows: Int, _ shape: AttentionShape) {
    keys = Matrix(rows: rows, columns: shape.keyWidth)
    values = Matrix(rows: rows, columns: shape.valueWidth)
  }
}

/// Keys and values of all layers of one sequence, kept for what is generated after it.
final class KeyValueCache {
  let capacity: Int
  let layers: [LayerKeys]
  var count = 0

  static func byteCount(_ model: Transformer, capacity: Int) -> Int {
    4 * capacity * (model.shape.keyWidth + model.shape.valueWidth) * model.layers.count
  }

  init(_ model: Transformer, capacity: Int) {
    self.capacity = capacity
    layers = model.layers.map { _ in LayerKeys(rows: capacity, model.shape) }
  }
}

/// A block of keys and values of one segment, packed for products of halves: one pair a key head.
struct PackedKeys: Sendable {
  var count: Int
  var keys: [PackedMatrix]
  var values: [PackedMatrix]

  init(_ rows: Range<Int>, of layer: LayerKeys, _ shape: AttentionShape, _ engine: Engine) {
    count = rows.count
    keys = (0..<shape.keyValueHeads).map { head in
      let packed = PackedMatrix(outputs: rows.count, inputs: shape.headDimension, engine.kernels)
      engine.kernels.packRows(
        MatrixPart(layer.keys, rows: rows, columns: shape.keyColumns(head)), into: packed)
      return packed
    }
    values = (0..<shape.keyValueHeads).map { head in
      let packed = PackedMatrix(outputs: shape.valueDimension, inputs: rows.count, engine.kernels)
      engine.kernels.packColumns(
        MatrixPart(layer.values, rows: rows, columns: shape.valueColumns(head)), into: packed)
      return packed
    }
  }
}

extension AttentionShape {
  func keyColumns(_ head: Int) -> Range<Int> { head * headDimension..<(head + 1) * headDimension }
  func valueColumns(_ head: Int) -> Range<Int> { head * valueDimension..<(head + 1) * valueDimension }
}
