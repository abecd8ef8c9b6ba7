/// Causal attention over a whole sequence, in blocks of queries: memory grows with the length, not with its square.
struct Attention {
  private let model: Transformer
  private let parallel: Parallel
  /// Queries that are taken together. Fixed, so that no result depends on the number of threads.
  private static let block = 128

  init(_ model: Transformer, _ parallel: Parallel) {
    self.model = model
    self.parallel = parallel
  }

  /// - Parameters:
  ///   - query: (n, heads * headDim), rotated.
  ///   - key: (n, kvHeads * headDim), rotated.
  ///   - value: (n, kvHeads * headDim)
  /// - Returns: (n, heads * headDim)
  func mix(_ query: Matrix, _ key: Matrix, _ value: Matrix) -> Matrix {
    let out = Matrix(rows: query.rows, columns: query.columns)
    let blocks = (query.rows + Self.block - 1) / Self.block
    parallel.run(blocks * model.heads) { index in
      let start = index / model.heads * Self.block
      let rows = start..<min(start + Self.block, query.rows)
      mixBlock(rows, head: index % model.heads, query, key, value, into: out)
    }
    return out
  }

  private func mixBlock(
    _ rows: Range<Int>, head: Int, _ query: Matrix, _ key: Matrix, _ value: Matrix, into out: Matrix
  ) {
    let width = model.headDimension
    let column = head * width
    let group = head / (model.heads / model.keyValueHeads) * width
    // Keys before the first that any query of the block can see, and after its last, are left out.
    let first = model.slidingWindow.map { max(0, rows.lowerBound - $0 + 1) } ?? 0
    let visible = first..<rows.upperBound
    let weights = Matrix(rows: rows.count, columns: visible.count)
    BLAS.productTransposed(
      MatrixPart(query, rows: rows, columns: column..<column + width),
      MatrixPart(key, rows: visible, columns: group..<group + width), into: MatrixPart(weights),
      alpha: model.attentionScale)
    for row in rows {
      let from = model.slidingWindow.map { max(0, row - $0 + 1) } ?? 0
      Rows.softmax(weights, row: row - rows.lowerBound, first: from - first, visible: row - from + 1)
    }
    BLAS.product(
      MatrixPart(weights), MatrixPart(value, rows: visible, columns: group..<group + width),
      into: MatrixPart(out, rows: rows, columns: column..<column + width))
  }
}
