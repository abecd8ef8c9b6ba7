import Formats

/// Rows of a stored matrix, unpacked only when a product needs them.
struct Weight: Sendable {
  let file: WeightFile
  let name: String
  let type: WeightType
  /// Outputs.
  let rows: Int
  /// Inputs.
  let columns: Int
  /// Where the first row begins in the file.
  let offset: Int

  private var rowBytes: Int { columns / type.block.elements * type.block.bytes }

  /// Some of the rows, as a matrix of its own: one part of a fused projection.
  func part(_ range: Range<Int>) -> Weight {
    precondition(range.upperBound <= rows)
    return Weight(
      file: file, name: name, type: type, rows: range.count, columns: columns,
      offset: offset + range.lowerBound * rowBytes)
  }

  private func unpack(_ range: Range<Int>, to destination: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    let start = offset + range.lowerBound * rowBytes
    unsafe file.map.withUnsafeBytes(in: start..<start + range.count * rowBytes) { buffer in
      guard let base = buffer.baseAddress else { return }
      unsafe type.unpack(base, to: destination, count: range.count * columns)
    }
  }

  /// One row into a row of a matrix of as many columns.
  func unpack(row: Int, into matrix: Matrix, at place: Int) {
    precondition(matrix.columns == columns)
    unsafe unpack(row..<row + 1, to: matrix.address(row: place))
  }

  /// All numbers of a small tensor.
  var values: [Float] {
    unsafe [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      unsafe unpack(0..<rows, to: base)
      count = rows * columns
    }
  }

  /// Rows of the result that one task computes. Fixed, so that no result depends on the number of threads.
  private static let tile = 128

  /// out(tokens, rows) = x(tokens, columns) * this matrix transposed.
  func project(_ x: Matrix, into out: Matrix, _ parallel: Parallel) {
    precondition(x.columns == columns && out.rows == x.rows && out.columns == rows)
    let tiles = (rows + Self.tile - 1) / Self.tile
    parallel.run(tiles) { number in
      let range = number * Self.tile..<min(rows, (number + 1) * Self.tile)
      let unpacked = Matrix(rows: range.count, columns: columns)
      unsafe unpack(range, to: unpacked.pointer)
      BLAS.productTransposed(
        MatrixPart(x), MatrixPart(unpacked), into: MatrixPart(out, columns: range))
    }
  }
}

/// A mapped weight file that lives as long as any weight of it.
final class WeightFile: Sendable {
  let map: MappedFile

  init(path: String) throws { map = try MappedFile(path: path) }
}
