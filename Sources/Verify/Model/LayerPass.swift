import Foundation

/// One layer over the rows of a batch, block by block.
struct LayerPass {
  /// Rows that are computed together, and the blocks of keys that they make.
  struct Block {
    var rows: Range<Int>
    var tiles: [Range<Int>]
  }

  private let model: Transformer
  private let layer: Transformer.Layer
  private let engine: Engine
  private let batch: Batch
  private let keys: LayerKeys
  private let turns: Turns
  /// The batch's row that `turns` begins with.
  private let firstRow: Int
  private var packed: [Int: PackedKeys] = [:]

  init(
    _ model: Transformer, _ layer: Transformer.Layer, _ engine: Engine, _ batch: Batch, _ keys: LayerKeys,
    _ turns: Turns, firstRow: Int = 0
  ) {
    self.model = model
    self.layer = layer
    self.engine = engine
    self.batch = batch
    self.keys = keys
    self.turns = turns
    self.firstRow = firstRow
  }

  /// Computes and stores the keys and values of some rows of x (all rows, hidden).
  mutating func store(_ x: Matrix, _ block: Block) {
    storeUnpacked(x.gathered(Array(block.rows)), rows: block.rows)
    pack(block.tiles)
  }

  /// Packs blocks of stored keys for the kernels' products. Attention to single blocks has OpenBLAS's.
  mutating func pack(_ tiles: [Range<Int>]) {
    guard engine.packsKeys, !layer.attention.isBlockSparse else { return }
    let made = Slots<PackedKeys>(tiles.count)
    let (keys, shape, engine) = (keys, model.shape, engine)
    engine.parallel.run(tiles.count) { made.set($0, PackedKeys(tiles[$0], of: keys, shape, engine)) }
    for (tile, keys) in zip(tiles, made.values) { packed[tile.lowerBound] = keys }
  }

  /// The same for rows that stand in a matrix of their own: (rows, hidden). They are not packed.
  func storeUnpacked(_ x: Matrix, rows: Range<Int>) {
    let input = attentionInput(x)
    let (key, value) = keysAndValues(input)
    if let norm = layer.attention.keyNorm { engine.norm(key, norm, into: key) }
    rotate(key, rows: Array(rows))
    keys.keys.copy(key, at: rows.lowerBound)
    keys.values.copy(value, at: rows.lowerBound)
  }

  /// Brings rows through the layer, whose keys and all before them are stored.
  /// - Parameters:
  ///   - x: all rows, of which `rows` are changed, or, if `isGathered`, just these.
  mutating func update(_ x: Matrix, rows: [Int], isGathered: Bool = false) {
    let part = isGathered ? x : x.gathered(rows)
    let query = queries(attentionInput(part))
    if let norm = layer.attention.queryNorm { engine.norm(query, norm, into: query) }
    rotate(query, rows: rows)
    let attention = Attention(
      shape: model.shape, pattern: layer.attention.pattern, batch: batch, layer: keys, packed: packed, engine: engine)
    let mixed = attention.mix(query, rows: rows)
    engine.add(engine.project(Operand(mixed, engine), layer.attention.output), scaled: model.residualScale, to: part)
    let normed = Matrix(rows: part.rows, columns: part.columns)
    engine.norm(part, layer.feedForwardNorm, into: normed)
    engine.add(layer.feedForward.callAsFunction(normed, engine), scaled: model.residualScale, to: part)
    if !isGathered, let first = rows.first { x.copy(part, at: first) }
  }

  private func attentionInput(_ x: Matrix) -> Operand {
    let normed = Matrix(rows: x.rows, columns: x.columns)
    engine.norm(x, layer.attentionNorm, into: normed)
    return Operand(normed, engine)
  }

  private func rotate(_ x: Matrix, rows: [Int]) {
    engine.parallel.run(rows: rows.count, by: 64) { part in
      for index in part {
        engine.rotate(
          x, row: index, headDimension: model.shape.headDimension, offset: model.shape.rotaryOffset, by: turns,
          at: rows[index] - firstRow, interleaved: model.shape.rotatesNeighbours)
      }
    }
  }

  // MARK: Queries, keys and values

  /// (rows, heads * headDimension)
  private func queries(_ input: Operand) -> Matrix {
    switch layer.attention.inputs {
    case .separate(let query, _, _): return engine.project(input, query)
    case .grouped(let fused):
      let group = model.shape.heads / model.shape.keyValueHeads
      return columns(of: engine.project(input, fused), parts: Array(0..<group))
    case .latent(let latent):
      let down = engine.project(input, latent.queryDown)
      engine.norm(down, latent.queryNorm, into: down)
      return engine.project(Operand(down, engine), latent.queryUp)
    }
  }

  /// (rows, keyValueHeads * headDimension) and (rows, keyValueHeads * valueDimension)
  private func keysAndValues(_ input: Operand) -> (Matrix, Matrix) {
    switch layer.attention.inputs {
    case .separate(_, let key, let value): return (engine.project(input, key), engine.project(input, value))
    case .grouped(let fused):
      let group = model.shape.heads / model.shape.keyValueHeads
      let all = engine.project(input, fused)
      return (columns(of: all, parts: [group]), columns(of: all, parts: [group + 1]))
    case .latent(let latent): return latentKeysAndValues(latent, input)
    }
  }

  /// Some of the heads in each group of a grouped projection: its queries, then its key, then its value.
  private func columns(of all: Matrix, parts: [Int]) -> Matrix {
    let shape = model.shape
    let (group, width) = (shape.heads / shape.keyValueHeads + 2, shape.headDimension)
    let out = Matrix(rows: all.rows, columns: shape.keyValueHeads * parts.count * width)
    for head in 0..<shape.keyValueHeads {
      for (place, part) in parts.enumerated() {
        out.copy(
          columns: (head * group + part) * width..<(head * group + part + 1) * width, of: all,
          at: (head * parts.count + place) * width)
      }
    }
    return out
  }

  private func latentKeysAndValues(_ latent: SelfAttention.Latent, _ input: Operand) -> (Matrix, Matrix) {
    let shape = model.shape
    let rank = latent.keyValueNorm.weight.count
    let down = engine.project(input, latent.keyValueDown)
    let narrow = Matrix(rows: down.rows, columns: rank)
    narrow.copy(columns: 0..<rank, of: down, at: 0)
    engine.norm(narrow, latent.keyValueNorm, into: narrow)
    let up = engine.project(Operand(narrow, engine), latent.keyValueUp)
    let key = Matrix(rows: down.rows, columns: shape.keyWidth)
    let value = Matrix(rows: down.rows, columns: shape.valueWidth)
    let stored = shape.rotaryOffset + shape.valueDimension
    for head in 0..<shape.heads {
      key.copy(columns: head * stored..<head * stored + shape.rotaryOffset, of: up, at: head * shape.headDimension)
      key.copy(columns: rank..<down.columns, of: down, at: head * shape.headDimension + shape.rotaryOffset)
      value.copy(
        columns: head * stored + shape.rotaryOffset..<(head + 1) * stored, of: up, at: head * shape.valueDimension)
    }
    return (key, value)
  }
}

extension SelfAttention {
  fileprivate var isBlockSparse: Bool { if case .blockSparse = pattern { true } else { false } }
}

/// Results that several threads make, each its own.
private final class Slots<Value: Sendable>: @unchecked Sendable {
  // @unchecked Sendable: each place is written once, by one thread, before any is read.
  private let lock = NSLock()
  private var slots: [Value?]

  init(_ count: Int) { slots = Array(repeating: nil, count: count) }

  func set(_ index: Int, _ value: Value) { lock.withLock { slots[index] = value } }
  var values: [Value] { slots.compactMap(\.self) }
}
