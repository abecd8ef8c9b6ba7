import Models
public import Numerics

/// A prefill over known sequences, layer by layer.
///
/// Each weight is unpacked once per block of rows, and only the keys and values of one layer are in
/// memory.
public struct ForwardPass: Sendable {
  /// The model.
  public private(set) var model: Transformer
  package private(set) var engine: Engine
  /// The largest number of bytes for the keys and values of all layers.
  public var cacheLimit = Int.max
  /// Called between blocks of work.
  ///
  /// An error that it throws ends the pass.
  package let checkpoint: @Sendable () throws -> Void

  /// - Parameters:
  ///   - threads: the number of threads. No result depends on it.
  ///   - checkpoint: called between blocks of work. An error that it throws ends the pass.
  public init(
    _ model: Transformer, threads: Int, precision: Precision = .exact,
    checkpoint: @escaping @Sendable () throws -> Void = {}
  ) {
    self.init(model, Engine(precision, threads: threads), checkpoint: checkpoint)
  }

  package init(
    _ model: Transformer, _ engine: Engine, checkpoint: @escaping @Sendable () throws -> Void = {}
  ) {
    self.model = model
    self.engine = engine
    self.checkpoint = checkpoint
  }

  /// The same pass with another model, such as a runtime's variant.
  package func running(_ other: Transformer) -> ForwardPass {
    var pass = self
    pass.model = other
    return pass
  }

  /// The number of threads.
  public var threads: Int { engine.parallel.threads }

  /// The same pass with another number of threads.
  package func withThreads(_ threads: Int) -> ForwardPass {
    var pass = self
    pass.engine = engine.withThreads(threads)
    return pass
  }

  /// The same pass for tokens that are generated one after another.
  var generating: ForwardPass {
    var pass = self
    pass.engine = engine.generating
    return pass
  }

  /// The types in which keys and values are kept for the tokens that follow, within a prompt too.
  ///
  /// They are rounded as llama.cpp does it with the options `-ctk` and `-ctv`.
  public var cacheTypes: CacheTypes { engine.cacheTypes }

  /// The same pass with other types of the cache.
  /// - Throws: `ModelError` for a type whose blocks do not divide a head, which llama.cpp refuses.
  public func keeping(_ types: CacheTypes) throws -> ForwardPass {
    try check(types.keys, of: "keys", head: model.shape.headDimension)
    try check(types.values, of: "values", head: model.shape.valueDimension)
    var pass = self
    pass.engine.cacheTypes = types
    return pass
  }

  private func check(_ type: CacheType, of kind: String, head: Int) throws {
    guard head % type.blockElements != 0 else { return }
    throw ModelError.unsupported(
      model.path,
      """
      \(kind) cannot be kept as \(type.rawValue): its blocks of \(type.blockElements) do not divide \
      a head of \(head)
      """)
  }

  /// The number of tokens from which on keys are packed.
  ///
  /// Below it, attention uses 32-bit floats.
  private static let fewTokens = 32

  /// The blocks of keys that contain the positions from `start` on.
  private static func tiles(from start: Int, to end: Int) -> [Range<Int>] {
    let first = start / Attention.keyBlock * Attention.keyBlock
    return stride(from: first, to: end, by: Attention.keyBlock).map {
      $0..<min($0 + Attention.keyBlock, end)
    }
  }

  /// The number of rows that go through a layer together, large enough to amortize unpacking a
  /// weight.
  static let blockRows = 1024

  /// The normed hidden states after the last layer, for some rows in ascending order.
  /// - Returns: (wanted, hidden)
  package func states(_ batch: Batch, wanted: [Int]) throws -> Matrix {
    try check(batch)
    let x = try embed(batch)
    let blocks = blocks(batch)
    var rotation: BatchRotation?
    for (index, layer) in model.layers.enumerated() {
      if rotation == nil || batch.segments.contains(where: \.schedule.isPerLayer) {
        rotation = self.rotation(batch, index)
      }
      guard let rotation else { break }
      let keys = LayerKeys(
        rows: batch.rows, model.shape, isGrouped: batch.isGrouped && layer.attention.isRotated)
      var pass = LayerPass(model, layer, engine, batch, keys, rotation)
      // The last layer computes only the wanted rows.
      let isLast = index == model.layers.count - 1
      if isLast { return try finish(&pass, x, blocks, wanted) }
      try run(&pass, x, blocks, into: x)
    }
    return finalNorm(x.gathered(wanted))
  }

  /// Runs a layer over all rows.
  /// - Parameters:
  ///   - out: gets the hidden states after the layer: (rows, hidden). It may be `x`.
  ///   - record: what a backward pass needs is kept there.
  func run(
    _ pass: inout LayerPass, _ x: Matrix, _ blocks: [LayerPass.Block], into out: Matrix,
    _ record: LayerRecord? = nil
  ) throws {
    for block in blocks {
      try checkpoint()
      let part = Matrix(sharing: out, rows: block.rows)
      if out !== x { part.copy(Matrix(sharing: x, rows: block.rows), at: 0) }
      let input = pass.attentionInput(part)
      pass.store(input, rows: block.rows)
      pass.pack(block.tiles)
      pass.forward(part, input, rows: Array(block.rows), record)
    }
  }

  /// Runs the last layer: keys and values for all rows, everything else only for the wanted rows.
  private func finish(
    _ pass: inout LayerPass, _ x: Matrix, _ blocks: [LayerPass.Block], _ wanted: [Int]
  ) throws -> Matrix {
    for block in blocks {
      try checkpoint()
      pass.store(pass.attentionInput(Matrix(sharing: x, rows: block.rows)), rows: block.rows)
      pass.pack(block.tiles)
    }
    let out = Matrix(rows: wanted.count, columns: model.hidden)
    for start in stride(from: 0, to: wanted.count, by: Self.blockRows) {
      try checkpoint()
      let rows = Array(wanted[start..<min(start + Self.blockRows, wanted.count)])
      let part = x.gathered(rows)
      pass.forward(part, pass.attentionInput(part), rows: rows)
      out.copy(part, at: start)
    }
    return finalNorm(out)
  }

  /// Extends the sequence in a cache by some tokens.
  /// - Returns: the normed hidden states of the last `wanted` tokens: (wanted, hidden).
  package func extend(
    _ cache: KeyValueCache, by tokens: [Int], _ schedule: RopeSchedule, wanted: Int = 1
  ) throws -> Matrix {
    let count = cache.count + tokens.count
    precondition(count <= cache.capacity)
    var batch = Batch()
    // Only the keys and values of earlier tokens are needed, so their ids do not matter.
    _ = batch.add(Array(repeating: 0, count: cache.count) + tokens, schedule, parent: nil, start: 0)
    try check(batch)
    let first = cache.count
    let x = Matrix(rows: tokens.count, columns: model.hidden)
    for (row, token) in tokens.enumerated() { model.embedding.unpack(row: token, into: x, at: row) }
    engine.scale(x, by: model.embeddingScale)
    for (index, layer) in model.layers.enumerated() {
      let rotation = self.rotation(batch, index, from: first)
      var pass = LayerPass(
        model, layer, engine, batch, cache.layers[index], rotation, firstRow: first)
      for start in stride(from: first, to: count, by: Self.blockRows) {
        try checkpoint()
        let rows = start..<min(start + Self.blockRows, count)
        let part = Matrix(sharing: x, rows: start - first..<rows.upperBound - first)
        let input = pass.attentionInput(part)
        pass.store(input, rows: rows)
        // For a few tokens, packing would cost more than it saves.
        if tokens.count >= Self.fewTokens {
          pass.pack(Self.tiles(from: start == first ? 0 : start, to: rows.upperBound))
        }
        pass.forward(part, input, rows: Array(rows))
      }
    }
    cache.count = count
    return finalNorm(x.gathered(Array(tokens.count - wanted..<tokens.count)))
  }

  // MARK: Parts

  func check(_ batch: Batch) throws {
    for segment in batch.segments {
      guard let greatest = segment.tokens.max(), let least = segment.tokens.min() else { continue }
      guard greatest < model.vocabulary, least >= 0 else {
        throw ModelError.unsupported(
          model.path, "the token \(greatest) exceeds the vocabulary of \(model.vocabulary) tokens")
      }
      try segment.schedule.check(
        layers: model.layers.count, rotary: model.shape.headDimension - model.shape.rotaryOffset,
        subject: model.path)
    }
  }

  /// The embeddings of all tokens: (rows, hidden).
  func embed(_ batch: Batch) throws -> Matrix {
    let x = Matrix(rows: batch.rows, columns: model.hidden)
    for segment in batch.segments {
      for (row, token) in zip(segment.rows, segment.tokens) {
        model.embedding.unpack(row: token, into: x, at: row)
      }
    }
    engine.scale(x, by: model.embeddingScale)
    return x
  }

  /// The angles of all rows from `first` on.
  func rotation(_ batch: Batch, _ layer: Int, from first: Int = 0) -> BatchRotation {
    func rotary(_ place: (SelfExtend, Int) -> Int) -> RotaryCache {
      self.rotary(batch, layer, from: first) { segment, position in
        segment.schedule.selfExtend.map { place($0, position) } ?? position
      }
    }
    let own = self.rotary(batch, layer, from: first) { $1 }
    guard batch.isGrouped else { return BatchRotation(own: own) }
    return BatchRotation(
      own: own,
      grouped: (rotary { $0.keyPosition($1) }, rotary { $0.queryPosition($1) }))
  }

  /// The same for one assignment of positions.
  /// - Parameter place: the position by which a token of a segment is rotated, from its position in
  ///   the sequence.
  private func rotary(
    _ batch: Batch, _ layer: Int, from first: Int, by place: (Batch.Segment, Int) -> Int
  ) -> RotaryCache {
    let pairs = batch.segments[0].schedule.pairs
    let rotary = RotaryCache(positions: batch.rows - first, pairs: pairs)
    for segment in batch.segments {
      let skipped = max(0, first - segment.rows.lowerBound)
      let rows = segment.rows.dropFirst(skipped)
      let positions = rows.indices.map {
        place(segment, segment.start + $0 - segment.rows.lowerBound)
      }
      engine.parallel.run(rows: rows.count, by: 256) { part in
        for index in part {
          segment.schedule.turn(
            positions[index], layer: layer, into: rotary, at: rows.startIndex + index - first)
        }
      }
    }
    return rotary
  }

  /// Blocks of rows that go through a layer together.
  ///
  /// A segment is divided at multiples of `Attention.keyBlock` from its beginning.
  func blocks(_ batch: Batch) -> [LayerPass.Block] {
    var blocks: [LayerPass.Block] = []
    for segment in batch.segments {
      for start in stride(
        from: segment.rows.lowerBound, to: segment.rows.upperBound, by: Attention.keyBlock)
      {
        let tile = start..<min(start + Attention.keyBlock, segment.rows.upperBound)
        if let last = blocks.last, last.rows.count + tile.count <= Self.blockRows {
          blocks[blocks.count - 1].rows = last.rows.lowerBound..<tile.upperBound
          blocks[blocks.count - 1].tiles.append(tile)
        } else {
          blocks.append(LayerPass.Block(rows: tile, tiles: [tile]))
        }
      }
    }
    return blocks
  }

  func finalNorm(_ x: Matrix) -> Matrix {
    engine.norm(x, model.finalNorm, into: x)
    return x
  }

  /// The logits for some rows of the hidden states.
  /// - Parameter states: the result of `states`: (wanted, hidden).
  /// - Returns: (rows, vocabulary)
  /// - Throws: `ModelError` that names the weight with the first NaN or infinity, if a logit is not
  ///   a number.
  package func logits(_ states: Matrix, rows: [Int]) throws -> Matrix {
    let out = engine.project(Operand(states.gathered(rows), engine), model.output)
    engine.scale(out, by: model.logitScale)
    for row in 0..<out.rows {
      for token in model.excludedTokens where (0..<out.columns).contains(token) {
        out[row, token] = -.infinity
      }
      guard engine.logSumExp(out, row: row).value.isFinite else {
        throw ModelError.unsupported(model.path, model.damage ?? "the logits are not finite")
      }
    }
    return out
  }

  /// The least number of bytes that a pass over one sequence needs in addition to the mapped
  /// weights.
  /// - Parameter isGrouped: whether Self-Extend keeps the keys twice.
  public func memory(tokens: Int, isGrouped: Bool = false) -> Int {
    let widest = 3 * model.hidden + 2 * model.shape.queryWidth + 2 * model.widestFeedForward
    let keys = isGrouped ? 2 * model.shape.keyWidth : model.shape.keyWidth
    let perToken =
      model.hidden + 2 * (keys + model.shape.valueWidth) + model.shape.headDimension
    return 4 * (tokens * perToken + min(tokens, Self.blockRows) * widest)
  }
}

extension Transformer {
  /// A message about the first weight that contains NaN or infinity, or nil.
  fileprivate var damage: String? {
    for layer in layers {
      for weight in layer.weights { if let place = weight.firstNonFinite { return place } }
    }
    return embedding.firstNonFinite ?? output.weight.firstNonFinite
  }

  fileprivate var widestFeedForward: Int {
    layers.map { layer in
      switch layer.feedForward {
      case .gated(let gate, _, _): gate.rows
      case .gegelu(let up, _, _): up.weight.rows
      case .experts(let experts): experts.experts.first?.gate.rows ?? 0
      }
    }.max() ?? 0
  }
}
