internal import CKernels
package import Formats

/// A stored matrix whose rows are unpacked only when a product needs them: (rows, columns).
package struct Weight: Sendable {
  package let file: SharedFile
  package let name: String
  package let type: ElementType
  /// The number of outputs.
  package let rows: Int
  /// The number of inputs.
  package let columns: Int
  /// The position of the first row in the file.
  package let offset: Int
  private let rowBytes: Int
  /// The numbers, if they are stored with scales beside them.
  ///
  /// `type` is then that of the unpacked ones.
  private let scaled: ScaledMatrix?

  /// - Parameters:
  ///   - type: a type with `canUnpack`.
  ///   - columns: a multiple of the type's block.
  package init(
    file: SharedFile, name: String, type: ElementType, rows: Int, columns: Int, offset: Int
  ) {
    guard let block = type.block, type.canUnpack else {
      preconditionFailure("\(type) cannot be unpacked")
    }
    precondition(columns % block.elements == 0)
    self.file = file
    self.name = name
    self.type = type
    self.rows = rows
    self.columns = columns
    self.offset = offset
    rowBytes = columns / block.elements * block.bytes
    scaled = nil
  }

  /// A matrix that is stored with scales beside it.
  package init(file: SharedFile, name: String, scaled: ScaledMatrix) {
    self.file = file
    self.name = name
    self.scaled = scaled
    type = .f32
    rows = scaled.rows
    columns = scaled.columns
    offset = 0
    rowBytes = MemoryLayout<Float>.stride * scaled.columns
  }

  /// Some of the rows as a separate matrix, such as one part of a fused projection.
  package func part(_ range: Range<Int>) -> Weight {
    precondition(range.upperBound <= rows)
    if let scaled { return Weight(file: file, name: name, scaled: scaled.part(range)) }
    return Weight(
      file: file, name: name, type: type, rows: range.count, columns: columns,
      offset: offset + range.lowerBound * rowBytes)
  }

  private func withBytes(_ range: Range<Int>, _ body: (UnsafeRawPointer) -> Void) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    if let scaled {
      let unpacked = Matrix(rows: range.count, columns: columns)
      unsafe scaled.unpack(range, to: unpacked.pointer)
      unsafe body(UnsafeRawPointer(unpacked.pointer))
      return
    }
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

  /// Unpacks one row into row `place` of a matrix with the same number of columns.
  package func unpack(row: Int, into matrix: Matrix, at place: Int) {
    precondition(matrix.columns == columns)
    unsafe unpack(row..<row + 1, to: matrix.address(row: place))
  }

  /// Unpacks some rows into the first rows of a matrix with the same number of columns.
  func unpack(rows range: Range<Int>, into matrix: Matrix) {
    precondition(matrix.columns == columns && matrix.rows >= range.count)
    unsafe unpack(range, to: matrix.pointer)
  }

  /// All numbers, for small tensors.
  package var values: [Float] {
    unsafe [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      unsafe unpack(0..<rows, to: base)
      count = rows * columns
    }
  }

  /// A message that locates the first NaN or infinity, or nil if there is none.
  package var firstNonFinite: String? {
    let unpacked = Matrix(rows: 1, columns: columns)
    for row in 0..<rows {
      unpack(row: row, into: unpacked, at: 0)
      for column in 0..<columns where !unpacked[0, column].isFinite {
        return "tensor '\(name)' contains \(unpacked[0, column]) at row \(row), column \(column)"
      }
    }
    return nil
  }

  // MARK: Products

  /// The number of outputs that one task computes with OpenBLAS.
  ///
  /// Fixed, so that no result depends on the number of threads.
  private static let exactTile = 256
  /// The tasks of a product with the kernels.
  private func tasks(_ tokens: Int, _ engine: Engine) -> ProductTasks {
    ProductTasks(outputs: rows, tokens: tokens, threads: engine.parallel.threads)
  }

  /// Computes out(tokens, rows) = x(tokens, columns) * this matrix transposed.
  package func project(_ x: Operand, into out: Matrix, _ engine: Engine) {
    precondition(x.matrix.columns == columns && out.rows == x.matrix.rows && out.columns == rows)
    if x.isFew {
      projectFew(x.matrix, into: out, engine)
    } else if let rounded = x.int8(for: type) {
      projectInt8(rounded, into: out, engine)
    } else if let rounded = x.bf16 {
      projectBF16(rounded, into: out, engine)
    } else {
      projectF32(x.matrix, into: out, engine)
    }
  }

  private func tile(_ number: Int, of size: Int) -> Range<Int> {
    number * size..<min(rows, (number + 1) * size)
  }

  private func projectF32(_ x: Matrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let tasks =
      kernels.hasFloatProducts
      ? tasks(x.rows, engine)
      : ProductTasks(outputs: rows, size: Self.exactTile, tokens: x.rows)
    engine.parallel.run(
      tasks.count,
      scratch: {
        (
          Matrix(rows: tasks.size, columns: columns),
          PackedF32(outputs: kernels.hasFloatProducts ? tasks.size : 0, inputs: columns)
        )
      }
    ) { task, scratch in
      let (range, tokens) = (tasks.outputs(of: task), tasks.tokens(of: task))
      let (input, target) = (
        MatrixPart(x, rows: tokens), MatrixPart(out, rows: tokens, columns: range)
      )
      unsafe withBytes(range) { bytes in
        let floats = unsafe self.floats(bytes, count: range.count * columns, scratch.0, kernels)
        if kernels.hasFloatProducts {
          unsafe kernels.packRows(
            at: floats, outputs: range.count, inputs: columns, into: scratch.1)
          kernels.multiply(input, scratch.1, into: target)
        } else {
          unsafe BLAS.productTransposed(input, rows: range.count, at: floats, into: target)
        }
      }
    }
  }

  /// Unpacks rows, or returns the stored rows themselves if they are aligned 32-bit floats.
  private func floats(
    _ bytes: UnsafeRawPointer, count: Int, _ unpacked: Matrix, _ kernels: KernelTable
  ) -> UnsafePointer<Float> {
    if type == .f32, Int(bitPattern: bytes) % MemoryLayout<Float>.alignment == 0 {
      return unsafe bytes.assumingMemoryBound(to: Float.self)
    }
    unsafe type.unpack(bytes, to: unpacked.pointer, count: count, kernels)
    return unsafe UnsafePointer(unpacked.pointer)
  }

  /// Multiplies without packing, directly from the stored rows if their type allows it.
  private func projectFew(_ x: Matrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let size = type == .bf16 || type == .f32 ? tasks(1, engine).size : 16
    engine.parallel.run(
      (rows + size - 1) / size,
      scratch: { Matrix(rows: type == .bf16 ? 0 : size, columns: columns) }
    ) { number, unpacked in
      let range = tile(number, of: size)
      unsafe withBytes(range) { bytes in
        let floats =
          unsafe type == .bf16
          ? nil : self.floats(bytes, count: range.count * columns, unpacked, kernels)
        for row in 0..<x.rows {
          let from = unsafe x.address(row: row)
          let to = unsafe out.address(row: row, column: range.lowerBound)
          if let floats = unsafe floats {
            unsafe kernels.functions.pointee.dot_rows(
              from, floats, columns, range.count, columns, to)
          } else {
            unsafe kernels.functions.pointee.dot_rows_bf16(from, bytes, range.count, columns, to)
          }
        }
      }
    }
  }

  private func projectInt8(_ x: Int8Matrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let tasks = tasks(out.rows, engine)
    engine.parallel.run(
      tasks.count,
      scratch: { PackedInt8(outputs: tasks.size, inputs: columns, kernels) }
    ) { task, packed in
      let range = tasks.outputs(of: task)
      unsafe withBytes(range) {
        unsafe type.pack($0, outputs: range.count, inputs: columns, into: packed, kernels)
      }
      let tokens = tasks.tokens(of: task)
      let target = MatrixPart(out, rows: tokens, columns: range)
      kernels.multiply(x, from: tokens.lowerBound, packed, into: target)
    }
  }

  private func projectBF16(_ x: BF16Matrix, into out: Matrix, _ engine: Engine) {
    let kernels = engine.kernels
    let tasks = tasks(out.rows, engine)
    engine.parallel.run(
      tasks.count,
      scratch: {
        (
          Matrix(rows: type == .bf16 ? 0 : tasks.size, columns: columns),
          PackedBF16(outputs: tasks.size, inputs: columns, kernels)
        )
      }
    ) { task, scratch in
      let (unpacked, packed) = scratch
      let range = tasks.outputs(of: task)
      unsafe withBytes(range) { bytes in
        if type == .bf16 {
          unsafe kernels.functions.pointee.pack_rows_bf16(
            bytes, range.count, columns, packed.pointer)
        } else {
          unsafe type.unpack(bytes, to: unpacked.pointer, count: range.count * columns, kernels)
          kernels.packRows(MatrixPart(unpacked, rows: 0..<range.count), into: packed)
        }
      }
      let tokens = tasks.tokens(of: task)
      let target = MatrixPart(out, rows: tokens, columns: range)
      kernels.multiply(x, from: tokens.lowerBound, inputs: columns, packed, into: target)
    }
  }
}

/// The left factor of one or several products.
///
/// It is rounded once, when a product first needs it.
package final class Operand {
  package let matrix: Matrix
  /// Whether it is multiplied row by row, without packing the other factor.
  let isFew: Bool
  private let engine: Engine?
  private var roundedBF16: BF16Matrix?
  private var roundedInt8: Int8Matrix?

  /// An operand that is multiplied in 32-bit floats whatever the precision.
  package init(exact matrix: Matrix) {
    self.matrix = matrix
    isFew = false
    engine = nil
  }

  package init(_ matrix: Matrix, _ engine: Engine) {
    self.matrix = matrix
    isFew = engine.generates && matrix.rows <= Engine.fewRows
    self.engine = engine.usesBF16 || engine.usesInt8 ? engine : nil
  }

  /// The operand rounded to bf16, or nil if products are not in bf16.
  package var bf16: BF16Matrix? {
    guard let engine, engine.usesBF16 else { return nil }
    if let roundedBF16 { return roundedBF16 }
    let rounded = BF16Matrix(rows: matrix.rows, columns: matrix.columns)
    engine.parallel.run(rows: matrix.rows, by: Engine.rowsPerTask) { [matrix] rows in
      engine.kernels.round(MatrixPart(matrix, rows: rows), into: rounded, at: rows.lowerBound)
    }
    roundedBF16 = rounded
    return rounded
  }

  /// The operand rounded to 8 bits, or nil if products are exact or if weights of this type have no
  /// 8-bit products.
  package func int8(for type: ElementType) -> Int8Matrix? {
    guard let engine, engine.usesInt8, type.canPackInt8, matrix.columns % 32 == 0
    else { return nil }
    if let roundedInt8 { return roundedInt8 }
    let rounded = Int8Matrix(rows: matrix.rows, columns: matrix.columns)
    engine.parallel.run(rows: matrix.rows, by: Engine.rowsPerTask) { [matrix] rows in
      engine.kernels.round(matrix, rows: rows, into: rounded)
    }
    roundedInt8 = rounded
    return rounded
  }
}

extension Engine {
  /// Computes x(tokens, inputs) * weight(outputs, inputs) transposed + bias.
  /// - Returns: (tokens, outputs)
  package func project(_ x: Operand, _ weight: Weight, bias: [Float]? = nil) -> Matrix {
    let out = Matrix(rows: x.matrix.rows, columns: weight.rows)
    weight.project(x, into: out, self)
    if let bias { add(bias, toRowsOf: out) }
    return out
  }
}
