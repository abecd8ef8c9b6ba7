internal import CKernels

/// The means of a forward pass: the kernels of one instruction set, a number of threads, and a
/// precision.
package struct Engine: Sendable {
  package let kernels: KernelTable
  package private(set) var parallel: Parallel
  /// Whether the factors of products are rounded to bf16.
  package let usesBF16: Bool
  /// Whether factors are rounded to 8 bits in products with weights that are stored in few bits.
  package let usesInt8: Bool
  /// Whether products of at most `fewRows` rows skip the packing and use 32-bit floats.
  ///
  /// This is faster, but it rounds differently from a product of many rows.
  package private(set) var generates = false
  /// The types in which keys and values are kept.
  package var cacheTypes = CacheTypes()

  /// - Parameter usesBF16: nil to let the precision and the processor decide.
  package init(
    _ precision: Precision, threads: Int, kernels: KernelTable = .best, usesBF16: Bool? = nil
  ) {
    self.kernels = kernels
    parallel = Parallel(threads: threads)
    self.usesBF16 = usesBF16 ?? (precision == .fast && kernels.hasBF16Products)
    usesInt8 = kernels.hasInt8Products && (self.usesBF16 || precision == .fast)
  }

  /// The largest number of rows for which packing the other factor does not pay.
  package static let fewRows = 8

  /// The same engine with another number of threads.
  package func withThreads(_ threads: Int) -> Engine {
    var engine = self
    engine.parallel = Parallel(threads: threads)
    return engine
  }

  /// The same engine for tokens that are generated one after another.
  package var generating: Engine {
    var engine = self
    engine.generates = true
    return engine
  }

  /// Whether attention uses the products of the kernels rather than those of OpenBLAS.
  package var packsKeys: Bool { usesBF16 || kernels.hasFloatProducts }

  /// The number of rows in one task of a row-wise kernel: few enough for many threads.
  package static let rowsPerTask = 16

  func forEachRow(_ rows: Int, _ work: @Sendable (Range<Int>) -> Void) {
    parallel.run(rows: rows, by: Self.rowsPerTask, work)
  }

  /// RMSNorm over each part of a row with the length of `weight`.
  ///
  /// `out` may be `x`.
  ///
  /// out = x / sqrt(mean(x^2) + epsilon) * weight + bias; x: (rows, parts * width)
  package func rmsNorm(
    _ x: Matrix, weight: [Float], bias: [Float]? = nil, epsilon: Float, into out: Matrix
  ) {
    unsafe forEachPart(of: x, width: weight.count, into: out) { from, to, count, width in
      unsafe kernels.functions.pointee.rms_norm(from, weight, epsilon, count, width, to)
      guard let bias else { return }
      precondition(bias.count == width)
      for part in 0..<count {
        unsafe kernels.functions.pointee.add_scaled(to + part * width, bias, 1, width)
      }
    }
  }

  /// LayerNorm over each part of a row with the length of `weight`.
  ///
  /// `out` may be `x`.
  ///
  /// out = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias; x: (rows, parts * width)
  package func layerNorm(
    _ x: Matrix, weight: [Float], bias: [Float]?, epsilon: Float, into out: Matrix
  ) {
    unsafe forEachPart(of: x, width: weight.count, into: out) { from, to, count, width in
      if let bias {
        precondition(bias.count == width)
        unsafe kernels.functions.pointee.layer_norm(from, weight, bias, epsilon, count, width, to)
      } else {
        unsafe kernels.functions.pointee.layer_norm(from, weight, nil, epsilon, count, width, to)
      }
    }
  }

  /// Calls `work` for some rows at a time, with the address of the first row in both matrices, the
  /// number of parts in these rows, and `width`.
  private func forEachPart(
    of x: Matrix, width: Int, into out: Matrix,
    _ work: @Sendable (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int, Int) -> Void
  ) {
    precondition(x.rows == out.rows && x.columns == out.columns && x.columns % width == 0)
    forEachRow(x.rows) { rows in
      unsafe work(
        x.address(row: rows.lowerBound), out.address(row: rows.lowerBound),
        rows.count * (x.columns / width), width)
    }
  }

  /// Computes gate = silu(gate) * up.
  package func swiGLU(_ gate: Matrix, _ up: Matrix) {
    precondition(gate.rows == up.rows && gate.columns == up.columns)
    forEachRow(gate.rows) { rows in
      unsafe kernels.functions.pointee.silu_gate(
        gate.address(row: rows.lowerBound), up.address(row: rows.lowerBound),
        rows.count * gate.columns)
    }
  }

  /// Computes x += y * scale.
  package func add(_ y: Matrix, scaled scale: Float = 1, to x: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    forEachRow(x.rows) { rows in
      unsafe kernels.functions.pointee.add_scaled(
        x.address(row: rows.lowerBound), y.address(row: rows.lowerBound), scale,
        rows.count * x.columns)
    }
  }

  /// Adds a bias to every row.
  func add(_ bias: [Float], toRowsOf x: Matrix) {
    precondition(bias.count == x.columns)
    forEachRow(x.rows) { rows in
      for row in rows {
        unsafe kernels.functions.pointee.add_scaled(x.address(row: row), bias, 1, bias.count)
      }
    }
  }

  /// Computes x[row] += y[source] * scale.
  package func add(_ y: Matrix, row source: Int, scaled scale: Float, to x: Matrix, row: Int) {
    precondition(x.columns == y.columns && row < x.rows && source < y.rows)
    unsafe kernels.functions.pointee.add_scaled(
      x.address(row: row), y.address(row: source), scale, x.columns)
  }

  /// Computes x *= factor for one row.
  package func scale(_ x: Matrix, row: Int, by factor: Float) {
    unsafe kernels.functions.pointee.scale_all(x.address(row: row), factor, x.columns)
  }

  /// Computes x *= factor.
  package func scale(_ x: Matrix, by factor: Float) {
    if factor != 1 {
      unsafe kernels.functions.pointee.scale_all(x.pointer, factor, x.rows * x.columns)
    }
  }

  /// Computes x[row, columns] /= divisor.
  package func divide(_ x: Matrix, row: Int, columns: Range<Int>, by divisor: Float) {
    unsafe kernels.functions.pointee.scale_all(
      x.address(row: row, column: columns.lowerBound), 1 / divisor, columns.count)
  }

  /// Rotates the dimensions from `offset` on in each head of one row.
  /// - Parameters:
  ///   - x: (rows, heads * headDimension).
  ///   - turn: the row of `rotary` with the angles.
  ///   - interleaved: whether the pairs are (2i, 2i + 1) rather than (i, i + pairs).
  package func rotate(
    _ x: Matrix, row: Int, headDimension: Int, offset: Int, by rotary: RotaryCache, at turn: Int,
    interleaved: Bool
  ) {
    let pairs = rotary.cosines.columns
    precondition(offset + 2 * pairs <= headDimension && x.columns % headDimension == 0)
    for start in stride(from: offset, to: x.columns, by: headDimension) {
      unsafe kernels.functions.pointee.rotate_head(
        x.address(row: row, column: start), rotary.cosines.address(row: turn),
        rotary.sines.address(row: turn), pairs, interleaved ? 1 : 0)
    }
  }

  /// log(sum(exp(row))), and the column of the greatest number.
  package func logSumExp(_ x: Matrix, row: Int) -> (value: Double, greatest: Int) {
    var greatest = 0
    let value = unsafe kernels.functions.pointee.log_sum_exp(
      x.address(row: row), x.columns, &greatest)
    return (value, greatest)
  }
}

/// The precision of matrix products.
public enum Precision: String, CaseIterable, Sendable {
  /// 32-bit floats.
  case exact
  /// Factors rounded to bf16 and sums in 32-bit floats, if the processor has instructions for it;
  /// else the same as `exact`.
  case fast
}
