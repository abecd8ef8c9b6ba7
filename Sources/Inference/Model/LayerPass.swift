import Models
import Numerics

/// The forward pass of one decoder layer over the rows of a batch, block by block.
struct LayerPass {
  /// Rows that are computed together, and their blocks of keys.
  struct Block {
    var rows: Range<Int>
    var tiles: [Range<Int>]
  }

  let model: Transformer
  let layer: Transformer.Layer
  let engine: Engine
  let batch: Batch
  /// The keys and values of the layer, which `store` fills.
  let cache: LayerKeys
  let rotation: BatchRotation
  /// The first row of the batch in `rotation`.
  let firstRow: Int
  private var packed: [Int: PackedKeys] = [:]

  init(
    _ model: Transformer, _ layer: Transformer.Layer, _ engine: Engine, _ batch: Batch,
    _ cache: LayerKeys, _ rotation: BatchRotation, firstRow: Int = 0
  ) {
    self.model = model
    self.layer = layer
    self.engine = engine
    self.batch = batch
    self.cache = cache
    self.rotation = rotation
    self.firstRow = firstRow
  }

  /// Runs the layer for some rows.
  ///
  /// The keys and values of these rows and of all earlier ones must have been stored.
  /// - Parameters:
  ///   - x: (m, hidden), the hidden states of `rows`; changed in place.
  ///   - input: the result of `attentionInput` for `x`.
  ///   - rows: rows of the batch, in ascending order.
  ///   - record: what a backward pass needs is kept there.
  func forward(_ x: Matrix, _ input: Operand, rows: [Int], _ record: LayerRecord? = nil) {
    // Query projection and rotary embedding.
    let plain = normedQueries(input)  // (m, heads * headDimension)
    let grouped = groupedQueries(plain, rows: rows)
    let query = rotated(plain, rows: rows, by: rotation.own)

    // Causal attention.
    let logSums = record.map { _ in Matrix(rows: rows.count, columns: model.shape.heads) }
    // (m, heads * valueDimension)
    let attended = attention.attend(query, grouped: grouped, rows: rows, logSums: logSums)
    if let record, let logSums { record.keep(attended, logSums, at: rows[0]) }

    // Output projection.
    // (m, hidden)
    let projected = engine.project(Operand(attended, engine), layer.attention.output)
    if let norm = layer.postAttentionNorm { engine.norm(projected, norm, into: projected) }

    // Residual connection.
    engine.add(projected, scaled: model.residualScale, to: x)

    // Feed-forward network.
    let fed = layer.feedForward(normed(x, layer.feedForwardNorm), engine)  // (m, hidden)
    if let norm = layer.postFeedForwardNorm { engine.norm(fed, norm, into: fed) }

    // Residual connection.
    engine.add(fed, scaled: model.residualScale, to: x)
  }

  /// The attention of the layer over the keys and values that have been stored.
  var attention: Attention {
    Attention(
      shape: model.shape, pattern: layer.attention.pattern, batch: batch, layer: cache,
      packed: packed, engine: engine)
  }

  /// Normed and rotated queries, as they are multiplied with keys: (rows, heads * headDimension).
  func rotatedQueries(_ input: Operand, rows: [Int]) -> Matrix {
    rotated(normedQueries(input), rows: rows, by: rotation.own)
  }

  /// The same queries as far keys see them, rotated by the positions of their groups; nil if the
  /// layer has no grouped keys.
  private func groupedQueries(_ plain: Matrix, rows: [Int]) -> Matrix? {
    guard cache.groupedKeys != nil, let grouped = rotation.grouped else { return nil }
    return rotated(plain.gathered(Array(0..<plain.rows)), rows: rows, by: grouped.queries)
  }

  private func normedQueries(_ input: Operand) -> Matrix {
    let query = queries(input)
    if let norm = layer.attention.queryNorm { engine.norm(query, norm, into: query) }
    return query
  }

  /// Rotates queries in place, and returns them as they are multiplied with keys.
  private func rotated(_ query: Matrix, rows: [Int], by rotary: RotaryCache) -> Matrix {
    rotate(query, rows: rows, by: rotary)
    scaleByTemperature(query, rows: rows)
    engine.roundQueries(query, head: model.shape.headDimension)
    return query
  }

  // MARK: Keys and values

  /// Computes and stores the keys and values of some rows.
  func store(_ input: Operand, rows: Range<Int>) {
    // Key and value projections.
    let (key, value) = keysAndValues(input)
    if let norm = layer.attention.keyNorm { engine.norm(key, norm, into: key) }

    // Rotary embedding.
    if let grouped = cache.groupedKeys, let rotary = rotation.grouped?.keys {
      store(key.gathered(Array(0..<key.rows)), rows: rows, by: rotary, into: grouped)
    }
    store(key, rows: rows, by: rotation.own, into: cache.keys)

    engine.roundValues(value, head: model.shape.valueDimension)
    cache.values.copy(value, at: rows.lowerBound)
  }

  /// Rotates keys in place, and stores them.
  private func store(
    _ key: Matrix, rows: Range<Int>, by rotary: RotaryCache, into stored: Matrix
  ) {
    rotate(key, rows: Array(rows), by: rotary)
    engine.roundKeys(key, head: model.shape.headDimension)
    stored.copy(key, at: rows.lowerBound)
  }

  /// Packs blocks of stored keys for the products of the kernels.
  ///
  /// Block-sparse attention uses OpenBLAS instead.
  mutating func pack(_ tiles: [Range<Int>]) {
    guard engine.packsKeys, !layer.attention.isBlockSparse else { return }
    let made = Slots<PackedKeys>(tiles.count)
    let (cache, shape, engine) = (cache, model.shape, engine)
    let areGrouped = tiles.map { isGrouped($0) }
    engine.parallel.run(tiles.count) {
      made.set($0, PackedKeys(tiles[$0], of: cache, isGrouped: areGrouped[$0], shape, engine))
    }
    for (tile, keys) in zip(tiles, made.values) { packed[tile.lowerBound] = keys }
  }

  /// Whether the segment of a tile sees grouped keys.
  private func isGrouped(_ tile: Range<Int>) -> Bool {
    cache.groupedKeys != nil && batch.selfExtend(ofRow: tile.lowerBound) != nil
  }

  // MARK: Steps

  /// The input of the projections of attention: the hidden states, normed if the layer norms them
  /// first. (rows, hidden)
  func attentionInput(_ x: Matrix) -> Operand { Operand(normed(x, layer.attentionNorm), engine) }

  func normed(_ x: Matrix, _ norm: Norm?) -> Matrix {
    guard let norm else { return x }
    let normed = Matrix(rows: x.rows, columns: x.columns)
    engine.norm(x, norm, into: normed)
    return normed
  }

  func rotate(_ x: Matrix, rows: [Int], by rotary: RotaryCache) {
    guard layer.attention.isRotated else { return }
    engine.parallel.run(rows: rows.count, by: Engine.rowsPerTask) { part in
      for index in part {
        engine.rotate(
          x, row: index, headDimension: model.shape.headDimension, offset: model.shape.rotaryOffset,
          by: rotary, at: rows[index] - firstRow, interleaved: model.shape.isInterleaved)
      }
    }
  }

  /// Multiplies queries, or the derivatives by them, by the temperature of their positions.
  func scaleByTemperature(_ query: Matrix, rows: [Int]) {
    guard let temperature = model.temperature else { return }
    for (index, row) in rows.enumerated() {
      let factor = temperature.factor(at: batch.position(ofRow: row))
      if factor != 1 { engine.scale(query, row: index, by: factor) }
    }
  }

  // MARK: Projections of attention

  /// Queries: (rows, heads * headDimension).
  func queries(_ input: Operand) -> Matrix {
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

  /// Keys and values: (rows, keyValueHeads * headDimension) and (rows, keyValueHeads *
  /// valueDimension).
  func keysAndValues(_ input: Operand) -> (Matrix, Matrix) {
    switch layer.attention.inputs {
    case .separate(_, let key, let value):
      return (engine.project(input, key), engine.project(input, value))
    case .grouped(let fused):
      let group = model.shape.heads / model.shape.keyValueHeads
      let all = engine.project(input, fused)
      return (columns(of: all, parts: [group]), columns(of: all, parts: [group + 1]))
    case .latent(let latent): return latentKeysAndValues(latent, input)
    }
  }

  /// Some of the heads in each group of a grouped projection.
  ///
  /// A group consists of its queries, its key and its value.
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

  /// Keys and values of latent attention, in the same shapes.
  private func latentKeysAndValues(
    _ latent: SelfAttention.Latent, _ input: Operand
  ) -> (Matrix, Matrix) {
    let shape = model.shape
    let rank = latent.keyValueNorm.weight.count
    let down = engine.project(input, latent.keyValueDown)  // (rows, rank + rotated)
    let narrow = Matrix(rows: down.rows, columns: rank)
    narrow.copy(columns: 0..<rank, of: down, at: 0)
    engine.norm(narrow, latent.keyValueNorm, into: narrow)
    let up = engine.project(Operand(narrow, engine), latent.keyValueUp)
    let key = Matrix(rows: down.rows, columns: shape.keyWidth)
    let value = Matrix(rows: down.rows, columns: shape.valueWidth)
    let stored = shape.rotaryOffset + shape.valueDimension
    for head in 0..<shape.heads {
      key.copy(
        columns: head * stored..<head * stored + shape.rotaryOffset, of: up,
        at: head * shape.headDimension)
      key.copy(
        columns: rank..<down.columns, of: down, at: head * shape.headDimension + shape.rotaryOffset)
      value.copy(
        columns: head * stored + shape.rotaryOffset..<(head + 1) * stored, of: up,
        at: head * shape.valueDimension)
    }
    return (key, value)
  }
}

extension SelfAttention {
  fileprivate var isBlockSparse: Bool { if case .blockSparse = pattern { true } else { false } }
}
