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

/// A block of keys and values of one segment, packed for products: one pair a key head.
struct PackedKeys: Sendable {
  enum Factors: Sendable {
    case halves(keys: [PackedMatrix], values: [PackedMatrix])
    case floats(keys: [PackedFloats], values: [PackedFloats])
  }

  var count: Int
  var factors: Factors

  init(_ rows: Range<Int>, of layer: LayerKeys, _ shape: AttentionShape, _ engine: Engine) {
    count = rows.count
    let kernels = engine.kernels
    let heads = 0..<shape.keyValueHeads
    func keys(_ head: Int) -> MatrixPart { MatrixPart(layer.keys, rows: rows, columns: shape.keyColumns(head)) }
    func values(_ head: Int) -> MatrixPart { MatrixPart(layer.values, rows: rows, columns: shape.valueColumns(head)) }
    if engine.usesHalves {
      factors = .halves(
        keys: heads.map { head in
          let packed = PackedMatrix(outputs: rows.count, inputs: shape.headDimension, kernels)
          kernels.packRows(keys(head), into: packed)
          return packed
        },
        values: heads.map { head in
          let packed = PackedMatrix(outputs: shape.valueDimension, inputs: rows.count, kernels)
          kernels.packColumns(values(head), into: packed)
          return packed
        })
    } else {
      factors = .floats(
        keys: heads.map { head in
          let packed = PackedFloats(outputs: rows.count, inputs: shape.headDimension)
          kernels.packRows(keys(head), into: packed)
          return packed
        },
        values: heads.map { head in
          let packed = PackedFloats(outputs: shape.valueDimension, inputs: rows.count)
          kernels.packColumns(values(head), into: packed)
          return packed
        })
    }
  }
}

extension AttentionShape {
  func keyColumns(_ head: Int) -> Range<Int> { head * headDimension..<(head + 1) * headDimension }
  func valueColumns(_ head: Int) -> Range<Int> { head * valueDimension..<(head + 1) * valueDimension }
}
