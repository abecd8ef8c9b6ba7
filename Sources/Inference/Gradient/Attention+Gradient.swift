import Numerics

extension Attention {
  /// The derivatives of a loss by the rotated queries and keys, and by the values.
  struct Gradient {
    var query: Matrix  // (rows, heads * headDimension)
    var key: Matrix  // (rows, keyValueHeads * headDimension)
    var value: Matrix  // (rows, keyValueHeads * valueDimension)
  }

  /// Goes backward through the attention of one sequence, block by block, as in FlashAttention.
  ///
  /// With S the scaled scores, P their softmax and O = P V: dV = P^T dO, dP = dO V^T,
  /// dS = P * (dP - rowsum(dO * O)), dQ = dS K and dK = dS^T Q, the last two times the scale.
  /// - Parameters:
  ///   - query: (rows, heads * headDimension), rotated, of all rows of the batch.
  ///   - record: the result of `attend`, and the sums of its softmax.
  ///   - gradient: the derivative by that result: (rows, heads * valueDimension).
  func gradient(_ query: Matrix, _ record: LayerRecord, _ gradient: Matrix) -> Gradient {
    let rows = query.rows
    let tasks = tasks(Array(0..<rows))
    let result = Matrix.zeros(rows: rows, columns: query.columns)
    let heads = (0..<shape.heads).map { _ in
      // Keys and values are in columns, so that blocks of queries can add to them by products.
      HeadGradient(
        key: Matrix.zeros(rows: shape.headDimension, columns: rows),
        value: Matrix.zeros(rows: shape.valueDimension, columns: rows))
    }
    engine.parallel.run(shape.heads, scratch: { GradientScratch(shape, engine) }) { head, scratch in
      let keys = HeadKeys(self, head: head)
      for task in tasks {
        let block = QueryBlock(
          task, head: head, query: query, record, gradient, shape, engine, into: result)
        for span in spans(task, head: head) {
          add(block, span, keys, to: heads[head], scratch)
        }
      }
    }
    return Gradient(
      query: result,
      key: sum(heads.map(\.key), width: shape.headDimension),
      value: sum(heads.map(\.value), width: shape.valueDimension))
  }

  /// The part of a block of queries and a span of keys.
  private func add(
    _ block: QueryBlock, _ span: Span, _ keys: HeadKeys, to head: HeadGradient,
    _ scratch: GradientScratch
  ) {
    let packed = keys.block(span)
    let count = packed.rows.count
    let queries = block.task.positions.count
    var softmax = RunningSoftmax(logSums: block.logSums)
    setLimits(block.task, span, &softmax)

    // P = softmax(Q K^T * scale)
    let scores = MatrixPart(scratch.scores, rows: 0..<queries, columns: 0..<count)
    packed.keys.multiply(block.query, into: scores, alpha: shape.scale, scratch: scratch.narrow)
    let nothing = MatrixPart(block.result.matrix, rows: block.task.queries, columns: 0..<0)
    engine.kernels.step(&softmax, scores, into: nothing)

    // dV^T += dO^T P
    scratch.wide.pack(columns: scores)
    scratch.wide.multiply(
      MatrixPart(block.gradientColumns), into: MatrixPart(head.value, columns: packed.rows),
      accumulates: true, scratch: scratch.columns)

    // dP = dO V^T, and dS = P * (dP - sums) * scale
    let slopes = MatrixPart(scratch.slopes, rows: 0..<queries, columns: 0..<count)
    packed.values.multiply(block.gradient, into: slopes, scratch: scratch.narrow)
    engine.kernels.softmaxGradient(scores, slopes, sums: block.sums, scale: shape.scale)

    // dQ += dS K
    packed.keyColumns.multiply(
      slopes, into: block.result, accumulates: true, scratch: scratch.broad)

    // dK^T += Q^T dS
    scratch.wide.pack(columns: slopes)
    scratch.wide.multiply(
      MatrixPart(block.queryColumns), into: MatrixPart(head.key, columns: packed.rows),
      accumulates: true, scratch: scratch.columns)
  }

  /// The derivatives by the keys or values of all key heads, from those of each query head:
  /// (rows, keyValueHeads * width).
  private func sum(_ heads: [Matrix], width: Int) -> Matrix {
    let group = shape.heads / shape.keyValueHeads
    let out = Matrix.zeros(rows: heads[0].columns, columns: shape.keyValueHeads * width)
    engine.parallel.run(rows: out.rows, by: 128) { rows in
      for (head, columns) in heads.enumerated() {
        out.addTransposed(
          MatrixPart(columns, columns: rows), atRow: rows.lowerBound, column: head / group * width)
      }
    }
    return out
  }
}

/// The derivatives by the keys and values that one query head sees.
private struct HeadGradient: Sendable {
  var key: Matrix  // (headDimension, rows)
  var value: Matrix  // (valueDimension, rows)
}

/// A block of queries of one head.
private struct QueryBlock {
  let task: Attention.Task
  /// The queries: (queries, headDimension).
  let query: MatrixPart
  /// The same with a row for each dimension: (headDimension, queries).
  let queryColumns: Matrix
  /// The derivative by the result of attention: (queries, valueDimension).
  let gradient: MatrixPart
  /// The same with a row for each dimension: (valueDimension, queries).
  let gradientColumns: Matrix
  /// The sums of gradient * result: (queries).
  let sums: [Float]
  /// log(sum(exp(score))): (queries).
  let logSums: [Float]
  /// Where the derivative by the queries goes: (queries, headDimension).
  let result: MatrixPart

  init(
    _ task: Attention.Task, head: Int, query: Matrix, _ record: LayerRecord, _ gradient: Matrix,
    _ shape: AttentionShape, _ engine: Engine, into result: Matrix
  ) {
    self.task = task
    let (keys, values) = (shape.keyColumns(head), shape.valueColumns(head))
    self.query = MatrixPart(query, rows: task.queries, columns: keys)
    self.gradient = MatrixPart(gradient, rows: task.queries, columns: values)
    self.result = MatrixPart(result, rows: task.queries, columns: keys)
    queryColumns = Matrix.transposed(self.query)
    gradientColumns = Matrix.transposed(self.gradient)
    sums = engine.kernels.rowProducts(
      self.gradient, MatrixPart(record.attended, rows: task.queries, columns: values))
    logSums = task.queries.map { record.logSums[$0, head] }
  }
}

/// The keys and values that one query head sees, packed for all products.
private struct HeadKeys {
  struct Block {
    var rows: Range<Int>
    /// One output per key: (keys, headDimension).
    var keys: PackedFactor
    /// One output per dimension: (headDimension, keys).
    var keyColumns: PackedFactor
    /// One output per key: (keys, valueDimension).
    var values: PackedFactor
  }

  private let attention: Attention
  private let group: Int
  private var blocks: [Int: Block] = [:]

  /// Packs the blocks that `Attention.spans` names.
  init(_ attention: Attention, head: Int) {
    self.attention = attention
    group = head / (attention.shape.heads / attention.shape.keyValueHeads)
    if case .blockSparse = attention.pattern { return }
    for start in stride(from: 0, to: attention.batch.rows, by: Attention.keyBlock) {
      blocks[start] = pack(start..<min(start + Attention.keyBlock, attention.batch.rows))
    }
  }

  func block(_ span: Attention.Span) -> Block { blocks[span.block] ?? pack(span.rows) }

  private func pack(_ rows: Range<Int>) -> Block {
    let (shape, layer, engine) = (attention.shape, attention.layer, attention.engine)
    let keys = MatrixPart(layer.keys, rows: rows, columns: shape.keyColumns(group))
    let values = MatrixPart(layer.values, rows: rows, columns: shape.valueColumns(group))
    return Block(
      rows: rows, keys: PackedFactor(rows: keys, engine),
      keyColumns: PackedFactor(columns: keys, engine), values: PackedFactor(rows: values, engine))
  }
}

/// The scratch memory of one thread.
private final class GradientScratch: @unchecked Sendable {
  // @unchecked Sendable: each thread has its own.
  let scores = Matrix(rows: Attention.queryBlock, columns: Attention.keyBlock)
  let slopes = Matrix(rows: Attention.queryBlock, columns: Attention.keyBlock)
  /// Probabilities or their derivatives with one output per key.
  let wide: PackedFactor
  // Rounded left factors: queries; derivatives of scores; columns of queries.
  let narrow: BF16Matrix
  let broad: BF16Matrix
  let columns: BF16Matrix

  init(_ shape: AttentionShape, _ engine: Engine) {
    let width = max(shape.headDimension, shape.valueDimension)
    wide = PackedFactor(outputs: Attention.keyBlock, inputs: Attention.queryBlock, engine)
    narrow = engine.roundingScratch(rows: Attention.queryBlock, columns: width)
    broad = engine.roundingScratch(rows: Attention.queryBlock, columns: Attention.keyBlock)
    columns = engine.roundingScratch(rows: width, columns: Attention.queryBlock)
  }
}
