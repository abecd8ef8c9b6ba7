import Numerics

/// Causal attention over blocks of queries and keys with a running maximum and sum, as in
/// FlashAttention.
///
/// Its memory does not depend on the length of a sequence.
struct Attention {
  let shape: AttentionShape
  let pattern: SelfAttention.Pattern
  let batch: Batch
  let layer: LayerKeys
  /// Packed keys by the first row of their block; empty if OpenBLAS is used.
  let packed: [Int: PackedKeys]
  let engine: Engine

  /// The number of queries in a block.
  ///
  /// Like `keyBlock` it is fixed, so that no result depends on the number of threads.
  static let queryBlock = 128
  /// The number of keys in a block.
  static let keyBlock = 512

  /// Queries that see the same blocks of keys, within the limits of each query.
  struct Task {
    /// Rows of the query matrix.
    var queries: Range<Int>
    /// The positions of the queries in the sequence.
    var positions: [Int]
    var segment: Int
  }

  /// Consecutive keys.
  struct Span {
    var rows: Range<Int>
    var start: Int
    /// The first row of their block, or -1 if they do not begin the block.
    ///
    /// It is the key in `packed`.
    var block: Int
    var distance = Distance.any
  }

  /// How far from a query the keys of a span are that it sees.
  enum Distance: Equatable {
    case any
    /// Nearer than a number of tokens.
    case near(Int)
    /// At least a number of tokens away; Self-Extend groups these keys.
    case far(Int)
  }

  /// Attends to all keys that the queries see.
  /// - Parameters:
  ///   - query: (m, heads * headDimension), rotated.
  ///   - grouped: the same queries rotated by the positions of their groups, for far keys.
  ///   - rows: the batch rows of the queries, in ascending order.
  ///   - logSums: if given, gets log(sum(exp(score))) of each query and head: (m, heads).
  /// - Returns: (m, heads * valueDimension)
  func attend(
    _ query: Matrix, grouped: Matrix? = nil, rows: [Int], logSums: Matrix? = nil
  ) -> Matrix {
    let out = Matrix.zeros(rows: query.rows, columns: shape.attendedWidth)
    let tasks = tasks(rows)
    engine.parallel.run(
      tasks.count * shape.heads,
      scratch: { Scratch(shape, engine, isGrouped: grouped != nil) }
    ) { index, scratch in
      // Later queries see more keys. These tasks come first, so that threads end together.
      let (task, head) = (tasks[tasks.count - 1 - index / shape.heads], index % shape.heads)
      attend(query, grouped, task, head: head, into: out, scratch)
      guard let logSums else { return }
      for (row, sum) in zip(task.queries, scratch.softmax.logSums) { logSums[row, head] = sum }
    }
    return out
  }

  func tasks(_ rows: [Int]) -> [Task] {
    var tasks: [Task] = []
    for (query, row) in rows.enumerated() {
      let segment = batch.segment(ofRow: row)
      let position = batch.position(ofRow: row)
      if let last = tasks.last, last.segment == segment, last.positions.count < Self.queryBlock,
        isInOneBlock(last.positions[0], position)
      {
        tasks[tasks.count - 1].queries = last.queries.lowerBound..<query + 1
        tasks[tasks.count - 1].positions.append(position)
      } else {
        tasks.append(Task(queries: query..<query + 1, positions: [position], segment: segment))
      }
    }
    return tasks
  }

  /// Whether two positions can share a task.
  ///
  /// Queries in different sparse blocks see different keys.
  private func isInOneBlock(_ first: Int, _ second: Int) -> Bool {
    guard case .blockSparse(let sparsity) = pattern else { return true }
    return first / sparsity.blockSize == second / sparsity.blockSize
  }

  /// The keys that at least one query of the task sees.
  func spans(_ task: Task, head: Int) -> [Span] {
    let last = task.positions[task.positions.count - 1]
    let first: Int
    if case .window(let reach) = pattern {
      first = max(0, task.positions[0] - reach + 1)
    } else {
      first = 0
    }
    var spans: [Span] = []
    for piece in batch.chain(task.segment) {
      for start in stride(from: 0, to: piece.rows.count, by: Self.keyBlock) {
        let position = piece.start + start
        let count = min(Self.keyBlock, piece.rows.count - start)
        guard position <= last, position + count > first else { continue }
        let row = piece.rows.lowerBound + start
        let seen = min(count, last + 1 - position)
        spans.append(Span(rows: row..<row + seen, start: position, block: row))
      }
    }
    if case .blockSparse(let sparsity) = pattern {
      spans = spans.flatMap {
        split($0, sparsity, queryBlock: last / sparsity.blockSize, head: head)
      }
    }
    guard layer.groupedKeys != nil,
      let window = batch.segments[task.segment].schedule.selfExtend?.window
    else { return spans }
    return spans.flatMap { split($0, task, window: window) }
  }

  /// A span as far keys and as near ones: it is both if some queries are far from some of its keys
  /// and some are near others.
  private func split(_ span: Span, _ task: Task, window: Int) -> [Span] {
    let (first, last) = (task.positions[0], task.positions[task.positions.count - 1])
    var parts: [Span] = []
    let farCount = min(span.rows.count, last - window + 1 - span.start)
    if farCount > 0 {
      var far = span
      far.rows = span.rows.prefix(farCount)
      far.distance = .far(window)
      parts.append(far)
    }
    if span.start + span.rows.count > first - window + 1 {
      var near = span
      near.distance = .near(window)
      parts.append(near)
    }
    return parts
  }

  /// The parts of a span that a head sees.
  private func split(
    _ span: Span, _ sparsity: BlockSparsity, queryBlock: Int, head: Int
  ) -> [Span] {
    var parts: [Span] = []
    for offset in span.rows.indices {
      let position = span.start + offset - span.rows.lowerBound
      guard
        sparsity.sees(queryBlock: queryBlock, keyBlock: position / sparsity.blockSize, head: head)
      else { continue }
      if let last = parts.last, last.rows.upperBound == offset {
        parts[parts.count - 1].rows = last.rows.lowerBound..<offset + 1
      } else {
        parts.append(Span(rows: offset..<offset + 1, start: position, block: -1))
      }
    }
    return parts
  }

  /// The scratch memory of one thread.
  private final class Scratch: @unchecked Sendable {
    // @unchecked Sendable: each thread has its own.
    let scores: Matrix
    let query: BF16Matrix
    let groupedQuery: BF16Matrix
    let probabilities: BF16Matrix
    var softmax = RunningSoftmax(rows: 0)

    init(_ shape: AttentionShape, _ engine: Engine, isGrouped: Bool) {
      scores = Matrix(rows: Attention.queryBlock, columns: Attention.keyBlock)
      let rows = engine.usesBF16 ? Attention.queryBlock : 0
      query = BF16Matrix(rows: rows, columns: shape.headDimension)
      groupedQuery = BF16Matrix(rows: isGrouped ? rows : 0, columns: shape.headDimension)
      probabilities = BF16Matrix(rows: rows, columns: Attention.keyBlock)
    }
  }

  private func attend(
    _ query: Matrix, _ grouped: Matrix?, _ task: Task, head: Int, into out: Matrix,
    _ scratch: Scratch
  ) {
    let group = head / (shape.heads / shape.keyValueHeads)
    let nearQueries = MatrixPart(query, rows: task.queries, columns: shape.keyColumns(head))
    let farQueries = grouped.map {
      MatrixPart($0, rows: task.queries, columns: shape.keyColumns(head))
    }
    let target = MatrixPart(out, rows: task.queries, columns: shape.valueColumns(head))
    scratch.softmax = RunningSoftmax(rows: task.positions.count)
    if engine.usesBF16, !packed.isEmpty {
      engine.kernels.round(nearQueries, into: scratch.query)
      if let farQueries { engine.kernels.round(farQueries, into: scratch.groupedQuery) }
    }
    for span in spans(task, head: head) {
      setLimits(task, span, &scratch.softmax)
      let queries = span.isGrouped ? farQueries ?? nearQueries : nearQueries
      let rounded = span.isGrouped ? scratch.groupedQuery : scratch.query
      let columns = span.rows.count
      let scores = MatrixPart(scratch.scores, rows: 0..<task.positions.count, columns: 0..<columns)
      let block = packed[span.block]
      switch span.isGrouped ? block?.groupedFactors : block?.factors {
      case .bf16(let keys, let values)?:
        engine.kernels.multiply(
          rounded, inputs: shape.headDimension, keys[group], into: scores, alpha: shape.scale)
        engine.kernels.step(
          &scratch.softmax, scores, into: target, probabilities: scratch.probabilities)
        engine.kernels.multiply(
          scratch.probabilities, inputs: columns, values[group], into: target, accumulates: true)
      case .f32(let keys, let values)?:
        engine.kernels.multiply(queries, keys[group], into: scores, alpha: shape.scale)
        engine.kernels.step(&scratch.softmax, scores, into: target)
        engine.kernels.multiply(scores, values[group], into: target, accumulates: true)
      case nil where engine.generates && task.positions.count <= Engine.fewRows:
        attendOneByOne(queries, span, group, scores, into: target, scratch)
      case nil:
        BLAS.productTransposed(
          queries, keys(span, group), into: scores, alpha: shape.scale)
        engine.kernels.step(&scratch.softmax, scores, into: target)
        BLAS.addProduct(
          scores, MatrixPart(layer.values, rows: span.rows, columns: shape.valueColumns(group)),
          to: target)
      }
    }
    for (index, row) in task.queries.enumerated() {
      engine.divide(
        out, row: row, columns: shape.valueColumns(head), by: scratch.softmax.sums[index])
    }
  }

  /// One step with a few queries, without packing.
  private func attendOneByOne(
    _ queries: MatrixPart, _ span: Span, _ group: Int, _ scores: MatrixPart,
    into target: MatrixPart, _ scratch: Scratch
  ) {
    let values = MatrixPart(layer.values, rows: span.rows, columns: shape.valueColumns(group))
    engine.kernels.multiplyRows(queries, keys(span, group), into: scores, alpha: shape.scale)
    engine.kernels.step(&scratch.softmax, scores, into: target)
    engine.kernels.addRows(scores, values, to: target)
  }

  /// The keys of a span, rotated as the span's distance asks for.
  private func keys(_ span: Span, _ group: Int) -> MatrixPart {
    let keys = span.isGrouped ? layer.groupedKeys ?? layer.keys : layer.keys
    return MatrixPart(keys, rows: span.rows, columns: shape.keyColumns(group))
  }

  /// Sets the columns of a span that each query sees.
  func setLimits(_ task: Task, _ span: Span, _ softmax: inout RunningSoftmax) {
    let count = span.rows.count
    var reach = Int.max / 2
    if case .window(let size) = pattern { reach = size }
    if case .near(let window) = span.distance { reach = min(reach, window) }
    var skipped = 0
    if case .far(let window) = span.distance { skipped = window }
    for (index, position) in task.positions.enumerated() {
      let last = min(count, max(0, position + 1 - skipped - span.start))
      softmax.last[index] = Int32(last)
      softmax.first[index] = Int32(min(last, max(0, position - reach + 1 - span.start)))
    }
  }
}

extension Attention.Span {
  /// Whether the keys are rotated by the positions of their groups.
  fileprivate var isGrouped: Bool { if case .far = distance { true } else { false } }
}
