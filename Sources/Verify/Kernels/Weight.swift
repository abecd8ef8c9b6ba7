internal import CKernels
package import Formats

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

  private func withBytes(_ range: Range<Int>, _ body: (UnsafeRawPointer) -> Void) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    let start = offset + range.lowerBound * rowBytes
    unsafe file.map.withUnsafeBytes(in: start..<start + range.count * rowBytes) { buffer in
      if let base = buffer.baseAddress { unsafe body(base) }
    }
  }

  private func unpack(
    _ range: Range<Int>, to destination: UnsafeMutablePointer<Float>, _ kernels: KernelTable = .best
  ) {
    unsafe withBytes(range) {
      unsafe type.unpack($0, to: destination, count: range.count * columns, kernels)
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

  /// Says where the first number stands that is none, or nil.
  var firstNonFinite: String? {
    let unpacked = Matrix(rows: 1, columns: columns)
    for row in 0..<rows {
      unpack(row: row, into: unpacked, at: 0)
      for column in 0..<columns where !unpacked[0, column].isFinite {
        return "tensor '\(name)' holds \(unpacked[0, column]) at row \(row), column \(column)"
      }
    }
    return nil
  }

  // MARK: Products

  /// Outputs that one task computes. Fixed, so that no result depends on the number of threads.
  private static let exactTile = 256
  private static let fastTile = 128

  /// out(tokens, rows) = x(tokens, columns) * this matrix transposed.
  func project(_ x: Operand, into out: Matrix, _ engine: Engine) {
    precondition(x.matrix.columns == columns && out.rows == x.matrix.rows && out.columns == rows)
    if x.isFew {
      projectFew(x.matrix, into: out, engine)
    } else if let bytes = x.bytes(for: type) {
      projectBytes(bytes, into: out, engine)
    } else if let halves = x.halves {
      projectFast(halves, into: out, engine)
    } else {
      projectExact(x.matrix, into: out, engine)
    }
  }

  private func tile(_ number: Int, of size: Int) -> Range<Int> { number * size..<min(rows, (number + 1) * size) }

  private func projectExact(_ x: Matrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let size = kernels.hasFloatProducts ? Self.fastTile : Self.exactTile
    engine.parallel.run(
      (rows + size - 1) / size,
      scratch: {
        (
          Matrix(rows: size, columns: columns),
          PackedFloats(outputs: kernels.hasFloatProducts ? size : 0, inputs: columns)
        )
      }
    ) { number, scratch in
      let range = tile(number, of: size)
      let target = MatrixPart(out, columns: range)
      unsafe withBytes(range) { bytes in
        let floats = unsafe self.floats(bytes, count: range.count * columns, scratch.0, kernels)
        if kernels.hasFloatProducts {
          unsafe kernels.packRows(at: floats, outputs: range.count, inputs: columns, into: scratch.1)
          kernels.multiply(MatrixPart(x), scratch.1, into: target)
        } else {
          unsafe BLAS.productTransposed(MatrixPart(x), rows: range.count, at: floats, into: target)
        }
      }
    }
  }

  /// Stored floats are used where they are.
  private func floats(
    _ bytes: UnsafeRawPointer, count: Int, _ unpacked: Matrix, _ kernels: KernelTable
  ) -> UnsafePointer<Float> {
    if type == .f32, Int(bitPattern: bytes) % MemoryLayout<Float>.alignment == 0 {
      return unsafe bytes.assumingMemoryBound(to: Float.self)
    }
    unsafe type.unpack(bytes, to: unpacked.pointer, count: count, kernels)
    return unsafe UnsafePointer(unpacked.pointer)
  }

  /// Straight from the stored rows.
  private func projectFew(_ x: Matrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let size = type == .bf16 || type == .f32 ? Self.fastTile : 16
    engine.parallel.run(
      (rows + size - 1) / size, scratch: { Matrix(rows: type == .bf16 ? 0 : size, columns: columns) }
    ) { number, unpacked in
      let range = tile(number, of: size)
      unsafe withBytes(range) { bytes in
        let floats =
          unsafe type == .bf16
          ? nil : self.floats(bytes, count: range.count * columns, unpacked, kernels)
        for row in 0..<x.rows {
          let (from, to) = unsafe (x.address(row: row), out.address(row: row, column: range.lowerBound))
          if let floats = unsafe floats {
            unsafe kernels.functions.pointee.dot_rows(from, floats, columns, range.count, columns, to)
          } else {
            unsafe kernels.functions.pointee.dot_rows_bf16(from, bytes, range.count, columns, to)
          }
        }
      }
    }
  }

  private func projectBytes(_ x: ByteMatrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    engine.parallel.run(
      (rows + Self.fastTile - 1) / Self.fastTile,
      scratch: { PackedBytes(outputs: Self.fastTile, inputs: columns, kernels) }
    ) { number, packed in
      let range = tile(number, of: Self.fastTile)
      unsafe withBytes(range) {
        unsafe type.pack($0, outputs: range.count, inputs: columns, into: packed, kernels)
      }
      kernels.multiply(x, packed, into: MatrixPart(out, columns: range))
    }
  }

  private func projectFast(_ x: HalfMatrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let tiles = (rows + Self.fastTile - 1) / Self.fastTile
    engine.parallel.run(
      tiles,
      scratch: {
        (
          Matrix(rows: type == .bf16 ? 0 : Self.fastTile, columns: columns),
          PackedMatrix(outputs: Self.fastTile, inputs: columns, kernels)
        )
      }
    ) { number, scratch in
      let (unpacked, packed) = scratch
      let range = tile(number, of: Self.fastTile)
      unsafe withBytes(range) { bytes in
        if type == .bf16 {
          unsafe kernels.functions.pointee.pack_rows_bf16(bytes, range.count, columns, packed.pointer)
        } else {
          unsafe type.unpack(bytes, to: unpacked.pointer, count: range.count * columns, kernels)
          kernels.packRows(MatrixPart(unpacked, rows: 0..<range.count), into: packed)
        }
      }
      kernels.multiply(x, inputs: columns, packed, into: MatrixPart(out, columns: range))
    }
  }
}

/// The left factor of one or several products, rounded when the first of them asks for it.
final class Operand {
  let matrix: Matrix
  /// Whether it is multiplied row by row, without packing the other factor.
  let isFew: Bool
  private let engine: Engine?
  private var roundedHalves: HalfMatrix?
  private var roundedBytes: ByteMatrix?

  /// To be multiplied in 32-bit floats whatever the precision.
  init(exact matrix: Matrix) {
    self.matrix = matrix
    isFew = false
    engine = nil
  }

  init(_ matrix: Matrix, _ engine: Engine) {
    self.matrix = matrix
    isFew = engine.generates && matrix.rows <= Engine.fewRows
    self.engine = engine.usesHalves ? engine : nil
  }

  /// Nil where products are exact.
  var halves: HalfMatrix? {
    guard let engine else { return nil }
    if let roundedHalves { return roundedHalves }
    let rounded = HalfMatrix(rows: matrix.rows, columns: matrix.columns)
    engine.parallel.run(rows: matrix.rows, by: 64) { [matrix] rows in
      engine.kernels.round(MatrixPart(matrix, rows: rows), into: rounded, at: rows.lowerBound)
    }
    roundedHalves = rounded
    return rounded
  }

  /// Nil where products are exact, or not of bytes for weights of this type.
  func bytes(for type: WeightType) -> ByteMatrix? {
    guard let engine, type.hasByteProducts(engine.kernels), matrix.columns % 32 == 0 else { return nil }
    if let roundedBytes { return roundedBytes }
    let rounded = ByteMatrix(rows: matrix.rows, columns: matrix.columns)
    engine.parallel.run(rows: matrix.rows, by: 64) { [matrix] rows in
      engine.kernels.round(matrix, rows: rows, into: rounded)
    }
    roundedBytes = rounded
    return rounded
  }
}

extension Engine {
  func project(_ x: Operand, _ projection: Projection) -> Matrix {
    let out = Matrix(rows: x.matrix.rows, columns: projection.weight.rows)
    projection.weight.project(x, into: out, self)
    if let bias = projection.bias {
      for row in 0..<out.rows {
        unsafe kernels.functions.pointee.add_scaled(out.address(row: row), bias, 1, bias.count)
      }
    }
    return out
  }
}

/// A mapped weight file that lives as long as any weight of it.
package final class WeightFile: Sendable {
  package let map: MappedFile

  package init(path: String) throws { map = try MappedFile(path: path) }
}
