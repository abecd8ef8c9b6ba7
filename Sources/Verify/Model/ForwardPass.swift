/// A prefill over known sequences, layer by layer: each weight is unpacked once a block of rows, and only one layer's
/// keys and values are alive.
public struct ForwardPass: Sendable {
  public let model: Transformer
  let engine: Engine
  /// Bytes that keys and values of all layers may take; more is refused.
  public var cacheLimit = Int.max
  /// Called between blocks of work; what it throws ends the pass.
  let checkpoint: @Sendable () throws -> Void

  public init(
    _ model: Transformer, threads: Int, precision: Precision = .exact,
    checkpoint: @escaping @Sendable () throws -> Void = {}
  ) {
    self.init(model, Engine(precision, threads: threads), checkpoint: checkpoint)
  }

  init(_ model: Transformer, _ engine: Engine, checkpoint: @escaping @Sendable () throws -> Void = {}) {
    self.model = model
    self.engine = engine
    self.checkpoint = checkpoint
  }

  /// The same with another model, such as a runtime's variant of it.
  func running(_ other: Transformer) -> ForwardPass {
    var pass = ForwardPass(other, engine, checkpoint: checkpoint)
    pass.cacheLimit = cacheLimit
    return pass
  }

  /// The same for tokens that are generated one after another.
  var generating: ForwardPass {
    var pass = ForwardPass(model, engine.generating, checkpoint: checkpoint)
    pass.cacheLimit = cacheLimit
    return pass
  }

  /// Generated tokens are attended to in 32-bit floats.
  private static let fewTokens = 32

  /// The blocks of keys of one sequence that hold the positions from `start` on.
  private static func tiles(from start: Int, to end: Int) -> [Range<Int>] {
    stride(from: start / Attention.keyBlock * Attention.keyBlock, to: end, by: Attention.keyBlock).map {
      $0..<min($0 + Attention.keyBlock, end)
    }
  }

  /// Rows that go through a layer together: enough to make use of an unpacked weight.
  private static let blockRows = 1024

  /// The normed hidden states after the last layer, of some rows in ascending order: (wanted, hidden).
  func states(_ batch: Batch, wanted: [Int]) throws -> Matrix {
    try check(batch)
    let x = try embed(batch)
    let blocks = blocks(batch)
    var turns: Turns?
    for (index, layer) in model.layers.enumerated() {
      if turns == nil || batch.segments.contains(where: \.schedule.isPerLayer) { turns = self.turns(batch, index) }
      guard let turns else { break }
      let keys = LayerKeys(rows: batch.rows, model.shape)
      // After the last layer only the wanted rows are asked for.
      let isLast = index == model.layers.count - 1
      var pass = LayerPass(model, layer, engine, batch, keys, turns)
      if isLast { return try finish(&pass, x, blocks, wanted) }
      for block in blocks {
        try checkpoint()
        pass.store(x, block)
        pass.update(x, rows: Array(block.rows))
      }
    }
    return finalNorm(x.gathered(wanted))
  }

  private func finish(
    _ pass: inout LayerPass, _ x: Matrix, _ blocks: [LayerPass.Block], _ wanted: [Int]
  ) throws -> Matrix {
    for block in blocks {
      try checkpoint()
      pass.store(x, block)
    }
    let out = Matrix(rows: wanted.count, columns: model.hidden)
    for start in stride(from: 0, to: wanted.count, by: Self.blockRows) {
      try checkpoint()
      let rows = Array(wanted[start..<min(start + Self.blockRows, wanted.count)])
      let part = x.gathered(rows)
      pass.update(part, rows: rows, isGathered: true)
      out.copy(part, at: start)
    }
    return finalNorm(out)
  }

  /// Continues one sequence, whose keys and values the cache holds, by `tokens`.
  /// - Returns: the normed states after the last `wanted` of them: (wanted, hidden).
  func extend(
    _ cache: KeyValueCache, by tokens: [Int], _ schedule: RopeSchedule, wanted: Int = 1
  ) throws -> Matrix {
    let count = cache.count + tokens.count
    precondition(count <= cache.capacity)
    var batch = Batch()
    // The rows before are known by their keys alone.
    _ = batch.add(Array(repeating: 0, count: cache.count) + tokens, schedule, parent: nil, start: 0)
    try check(batch)
    let first = cache.count
    let x = Matrix(rows: tokens.count, columns: model.hidden)
    for (row, token) in tokens.enumerated() { model.embedding.unpack(row: token, into: x, at: row) }
    engine.scale(x, by: model.embeddingScale)
    for (index, layer) in model.layers.enumerated() {
      let turns = self.turns(batch, index, from: first)
      var pass = LayerPass(model, layer, engine, batch, cache.layers[index], turns, firstRow: first)
      for start in stride(from: first, to: count, by: Self.blockRows) {
        try checkpoint()
        let rows = start..<min(start + Self.blockRows, count)
        let part = x.gathered(rows.map { $0 - first })
        pass.storeUnpacked(part, rows: rows)
        // For a few tokens packing would cost more than it saves.
        if tokens.count >= Self.fewTokens {
          pass.pack(Self.tiles(from: start == first ? 0 : start, to: rows.upperBound))
        }
        pass.update(part, rows: Array(rows), isGathered: true)
        x.copy(part, at: start - first)
      }
    }
    cache.count = count
    return finalNorm(x.gathered(Array(tokens.count - wanted..<tokens.count)))
  }

  // MARK: Parts

  private func check(_ batch: Batch) throws {
    for segment in batch.segments {
      guard let greatest = segment.tokens.max(), let least = segment.tokens.min() else { continue }
      guard greatest < model.vocabulary, least >= 0 else {
        throw VerifyError(model.path, "the token \(greatest) exceeds the vocabulary of \(model.vocabulary)")
      }
      try segment.schedule.check(
        layers: model.layers.count, rotary: model.shape.headDimension - model.shape.rotaryOffset,
        subject: model.path)
    }
  }

  private func embed(_ batch: Batch) throws -> Matrix {
    let x = Matrix(rows: batch.rows, columns: model.hidden)
    for segment in batch.segments {
      for (row, token) in zip(segment.rows, segment.tokens) { model.embedding.unpack(row: token, into: x, at: row) }
    }
    engine.scale(x, by: model.embeddingScale)
    return x
  }

  /// The angles of all rows from one on.
  private func turns(_ batch: Batch, _ layer: Int, from first: Int = 0) -> Turns {
    let pairs = batch.segments[0].schedule.pairs
    let turns = Turns(
      cosines: Matrix(rows: batch.rows - first, columns: pairs), sines: Matrix(rows: batch.rows - first, columns: pairs)
    )
    for segment in batch.segments {
      let skipped = max(0, first - segment.rows.lowerBound)
      let rows = segment.rows.dropFirst(skipped)
      engine.parallel.run(rows: rows.count, by: 256) { part in
        for index in part {
          segment.schedule.turn(
            segment.start + skipped + index, layer: layer, into: turns, at: rows.startIndex + index - first)
        }
      }
    }
    return turns
  }

  /// Pieces of segments, each cut at multiples of attention's block of keys from its beginning.
  private func blocks(_ batch: Batch) -> [LayerPass.Block] {
    var blocks: [LayerPass.Block] = []
    for segment in batch.segments {
      for start in stride(from: segment.rows.lowerBound, to: segment.rows.upperBound, by: Attention.keyBlock) {
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

  private func finalNorm(_ x: Matrix) -> Matrix {
    engine.norm(x, model.finalNorm, into: x)
    return x
  }

  /// - Parameter states: normed, as `states` gives them.
  /// - Returns: (rows, vocabulary)
  /// - Throws: `VerifyError` that names the weight, where a logit is no number.
  func logits(_ states: Matrix, rows: [Int]) throws -> Matrix {
    let out = engine.project(Operand(states.gathered(rows), engine), model.output)
    engine.scale(out, by: model.logitScale)
    for row in 0..<out.rows {
      for token in model.excludedTokens where (0..<out.columns).contains(token) { out[row, token] = -.infinity }
      guard engine.logSumExp(out, row: row).value.isFinite else {
        throw VerifyError(model.path, model.damage ?? "the logits are no finite numbers")
      }
    }
    return out
  }

  /// Bytes that a pass over so many tokens of one sequence takes beside the mapped weights, at least.
  public func memory(tokens: Int) -> Int {
    let widest = 3 * model.hidden + 2 * model.shape.queryWidth + 2 * model.widestFeedForward
    let perToken = model.hidden + 2 * (model.shape.keyWidth + model.shape.valueWidth) + model.shape.headDimension
    return 4 * (tokens * perToken + min(tokens, Self.blockRows) * widest)
  }
}

extension Transformer {
  /// The first weight with a number that is none.
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

extension Transformer.Layer {
  /// All matrices.
  fileprivate var weights: [Weight] {
    let inputs: [Weight] =
      switch attention.inputs {
      case .separate(let query, let key, let value): [query.weight, key.weight, value.weight]
      case .grouped(let fused): [fused.weight]
      case .latent(let latent):
        [latent.queryDown.weight, latent.queryUp.weight, latent.keyValueDown.weight, latent.keyValueUp.weight]
      }
    let outputs: [Weight] =
      switch feedForward {
      case .gated(let gate, let up, let down): [gate, up, down]
      case .gegelu(let up, let down, _): [up.weight, down.weight]
      case .experts(let experts): [experts.router] + experts.experts.flatMap { [$0.gate, $0.up, $0.down] }
      }
    return inputs + [attention.output.weight] + outputs
  }
}
