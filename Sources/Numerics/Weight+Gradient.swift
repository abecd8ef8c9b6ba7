extension Weight {
  /// The number of outputs that are packed together.
  ///
  /// Like all such sizes it is fixed, so that no result depends on the number of threads.
  private static let gradientTile = 256
  /// The number of rows in one task.
  private static let gradientRows = 128

  /// The derivative of a projection by its input: into(tokens, columns) += gradient(tokens, rows) *
  /// this matrix.
  package func projectBack(_ gradient: Matrix, into target: Matrix, _ engine: Engine) {
    precondition(gradient.columns == rows && target.columns == columns)
    precondition(gradient.rows == target.rows)
    let tiles = stride(from: 0, to: rows, by: Self.gradientTile).map {
      $0..<min($0 + Self.gradientTile, rows)
    }
    // A few tiles at a time, so that the packed copy of a large matrix stays small.
    let most = max(engine.parallel.threads, Self.packedNumbers / (Self.gradientTile * columns))
    for start in stride(from: 0, to: tiles.count, by: most) {
      let some = Array(tiles[start..<min(start + most, tiles.count)])
      let packed = packedColumns(some, engine)
      engine.parallel.run(
        (gradient.rows + Self.gradientRows - 1) / Self.gradientRows,
        scratch: { engine.roundingScratch(rows: Self.gradientRows, columns: Self.gradientTile) }
      ) { number, scratch in
        let part =
          number * Self.gradientRows..<min(gradient.rows, (number + 1) * Self.gradientRows)
        let sum = MatrixPart(target, rows: part)
        for (tile, factor) in zip(some, packed) {
          factor.multiply(
            MatrixPart(gradient, rows: part, columns: tile), into: sum, accumulates: true,
            scratch: scratch)
        }
      }
    }
  }

  /// The most numbers that are packed at a time.
  private static let packedNumbers = 16 << 20

  /// Some tiles of rows, packed with one output per column.
  private func packedColumns(_ tiles: [Range<Int>], _ engine: Engine) -> [PackedFactor] {
    let factors = tiles.map { PackedFactor(outputs: columns, inputs: $0.count, engine) }
    engine.parallel.run(
      tiles.count, scratch: { Matrix(rows: Self.gradientTile, columns: columns) }
    ) { number, unpacked in
      unpack(rows: tiles[number], into: unpacked)
      factors[number].pack(columns: MatrixPart(unpacked, rows: 0..<tiles[number].count))
    }
    return factors
  }
}
