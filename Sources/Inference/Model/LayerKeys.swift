import Numerics

/// The keys and values of one layer, for all rows of a batch.
final class LayerKeys: Sendable {
  let keys: Matrix  // (rows, keyValueHeads * headDimension), rotated
  let values: Matrix  // (rows, keyValueHeads * valueDimension)

  init(rows: Int, _ shape: AttentionShape) {
    keys = Matrix(rows: rows, columns: shape.keyWidth)
    values = Matrix(rows: rows, columns: shape.valueWidth)
  }
}

/// The keys and values of all layers for one sequence, kept for the tokens that follow.
package final class KeyValueCache {
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

/// A block of keys and values of one segment, packed for products.
struct PackedKeys: Sendable {
  /// The packed keys and values, one per key head.
  enum Factors: Sendable {
    case bf16(keys: [PackedBF16], values: [PackedBF16])
    case f32(keys: [PackedF32], values: [PackedF32])
  }

  var factors: Factors

  init(_ rows: Range<Int>, of layer: LayerKeys, _ shape: AttentionShape, _ engine: Engine) {
    let kernels = engine.kernels
    let heads = 0..<shape.keyValueHeads
    func keys(_ head: Int) -> MatrixPart {
      MatrixPart(layer.keys, rows: rows, columns: shape.keyColumns(head))
    }
    func values(_ head: Int) -> MatrixPart {
      MatrixPart(layer.values, rows: rows, columns: shape.valueColumns(head))
    }
    if engine.usesBF16 {
      factors = .bf16(
        keys: heads.map { head in
          let packed = PackedBF16(outputs: rows.count, inputs: shape.headDimension, kernels)
          kernels.packRows(keys(head), into: packed)
          return packed
        },
        values: heads.map { head in
          let packed = PackedBF16(outputs: shape.valueDimension, inputs: rows.count, kernels)
          kernels.packColumns(values(head), into: packed)
          return packed
        })
    } else {
      factors = .f32(
        keys: heads.map { head in
          let packed = PackedF32(outputs: rows.count, inputs: shape.headDimension)
          kernels.packRows(keys(head), into: packed)
          return packed
        },
        values: heads.map { head in
          let packed = PackedF32(outputs: shape.valueDimension, inputs: rows.count)
          kernels.packColumns(values(head), into: packed)
          return packed
        })
    }
  }
}

extension AttentionShape {
  func keyColumns(_ head: Int) -> Range<Int> { head * headDimension..<(head + 1) * headDimension }
  func valueColumns(_ head: Int) -> Range<Int> {
    head * valueDimension..<(head + 1) * valueDimension
  }
}
