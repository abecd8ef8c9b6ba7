import Numerics

/// The keys and values of one layer, for all rows of a batch.
final class LayerKeys: Sendable {
  let keys: Matrix  // (rows, keyValueHeads * headDimension), rotated
  /// The keys rotated by the positions of their groups, for Self-Extend; nil if nothing needs them.
  let groupedKeys: Matrix?  // (rows, keyValueHeads * headDimension)
  let values: Matrix  // (rows, keyValueHeads * valueDimension)

  init(rows: Int, _ shape: AttentionShape, isGrouped: Bool = false) {
    keys = Matrix(rows: rows, columns: shape.keyWidth)
    groupedKeys = isGrouped ? Matrix(rows: rows, columns: shape.keyWidth) : nil
    values = Matrix(rows: rows, columns: shape.valueWidth)
  }
}

/// The keys and values of all layers for one sequence, kept for the tokens that follow.
package final class KeyValueCache {
  let capacity: Int
  let layers: [LayerKeys]
  var count = 0

  static func byteCount(_ model: Transformer, capacity: Int, isGrouped: Bool) -> Int {
    let keys = isGrouped ? 2 * model.shape.keyWidth : model.shape.keyWidth
    return 4 * capacity * (keys + model.shape.valueWidth) * model.layers.count
  }

  /// - Parameter isGrouped: whether Self-Extend also needs the keys by the positions of groups.
  init(_ model: Transformer, capacity: Int, isGrouped: Bool = false) {
    self.capacity = capacity
    layers = model.layers.map { _ in
      LayerKeys(rows: capacity, model.shape, isGrouped: isGrouped)
    }
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
  /// The same values with the grouped keys; nil unless the segment has them.
  var groupedFactors: Factors?

  /// - Parameter isGrouped: whether the segment sees grouped keys, which the layer then has.
  init(
    _ rows: Range<Int>, of layer: LayerKeys, isGrouped: Bool, _ shape: AttentionShape,
    _ engine: Engine
  ) {
    let kernels = engine.kernels
    let heads = 0..<shape.keyValueHeads
    func part(_ keys: Matrix, _ head: Int) -> MatrixPart {
      MatrixPart(keys, rows: rows, columns: shape.keyColumns(head))
    }
    func values(_ head: Int) -> MatrixPart {
      MatrixPart(layer.values, rows: rows, columns: shape.valueColumns(head))
    }
    let grouped = isGrouped ? layer.groupedKeys : nil
    if engine.usesBF16 {
      func packed(_ keys: Matrix) -> [PackedBF16] {
        heads.map { head in
          let packed = PackedBF16(outputs: rows.count, inputs: shape.headDimension, kernels)
          kernels.packRows(part(keys, head), into: packed)
          return packed
        }
      }
      let values = heads.map { head in
        let packed = PackedBF16(outputs: shape.valueDimension, inputs: rows.count, kernels)
        kernels.packColumns(values(head), into: packed)
        return packed
      }
      factors = .bf16(keys: packed(layer.keys), values: values)
      groupedFactors = grouped.map { .bf16(keys: packed($0), values: values) }
    } else {
      func packed(_ keys: Matrix) -> [PackedF32] {
        heads.map { head in
          let packed = PackedF32(outputs: rows.count, inputs: shape.headDimension)
          kernels.packRows(part(keys, head), into: packed)
          return packed
        }
      }
      let values = heads.map { head in
        let packed = PackedF32(outputs: shape.valueDimension, inputs: rows.count)
        kernels.packColumns(values(head), into: packed)
        return packed
      }
      factors = .f32(keys: packed(layer.keys), values: values)
      groupedFactors = grouped.map { .f32(keys: packed($0), values: values) }
    }
  }
}

extension AttentionShape {
  func keyColumns(_ head: Int) -> Range<Int> { head * headDimension..<(head + 1) * headDimension }
  func valueColumns(_ head: Int) -> Range<Int> {
    head * valueDimension..<(head + 1) * valueDimension
  }
}
