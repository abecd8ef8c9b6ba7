internal import CKernels

/// What a forward pass computes with: the kernels of one instruction set, a number of threads, a precision.
struct Engine: Sendable {
  let kernels: KernelTable
  let parallel: Parallel
  /// Whether products are of numbers rounded to bf16.
  let usesHalves: Bool
  /// Whether few rows are multiplied by themselves, in 32-bit floats: faster, and rounded otherwise than among many.
  private(set) var generates = false

  /// - Parameter usesHalves: nil for what the precision and the processor ask for.
  init(_ precision: Precision, threads: Int, kernels: KernelTable = .best, usesHalves: Bool? = nil) {
    self.kernels = kernels
    parallel = Parallel(threads: threads)
    self.usesHalves = usesHalves ?? (precision == .fast && kernels.hasBF16Products)
  }

  /// More rows than these are worth packing the other factor for.
  static let fewRows = 8

  /// For the tokens that are generated one after another.
  var generating: Engine {
    var engine = self
    engine.generates = true
    return engine
  }

  /// Whether attention is computed with the kernels' products rather than OpenBLAS's.
  var packsKeys: Bool { usesHalves || kernels.hasFloatProducts }

  /// Rows that one task of a row-wise kernel takes. Fixed, as all sizes here, so that no result depends on the threads.
  private static let rowsATask = 64

  private func forEachRow(_ rows: Int, _ work: @Sendable (Range<Int>) -> Void) {
    parallel.run(rows: rows, by: Self.rowsATask, work)
  }

  /// Each part of a row that is as long as the weight is normed by itself. `out` may be `x`.
  func norm(_ x: Matrix, _ norm: Norm, into out: Matrix) {
    let width = norm.weight.count
    precondition(x.rows == out.rows && x.columns == out.columns && x.columns % width == 0)
    precondition(norm.bias.map { $0.count == width } ?? true)
    let parts = x.columns / width
    forEachRow(x.rows) { rows in
      let (from, to) = unsafe (x.address(row: rows.lowerBound), out.address(row: rows.lowerBound))
      let count = rows.count * parts
      switch (norm.kind, norm.bias) {
      case (.layer, let bias?):
        unsafe kernels.functions.pointee.layer_norm(from, norm.weight, bias, norm.epsilon, count, width, to)
      case (.layer, nil):
        unsafe kernels.functions.pointee.layer_norm(from, norm.weight, nil, norm.epsilon, count, width, to)
      case (.rms, let bias):
        unsafe kernels.functions.pointee.rms_norm(from, norm.weight, norm.epsilon, count, width, to)
        if let bias {
          for part in 0..<count { unsafe kernels.functions.pointee.add_scaled(to + part * width, bias, 1, width) }
        }
      }
    }
  }

  /// gate = silu(gate) * up
  func siluGate(_ gate: Matrix, _ up: Matrix) {
    precondition(gate.rows == up.rows && gate.columns == up.columns)
    forEachRow(gate.rows) { rows in
      unsafe kernels.functions.pointee.silu_gate(
        gate.address(row: rows.lowerBound), up.address(row: rows.lowerBound), rows.count * gate.columns)
    }
  }

  /// x += y * scale
  func add(_ y: Matrix, scaled scale: Float = 1, to x: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    forEachRow(x.rows) { rows in
      unsafe kernels.functions.pointee.add_scaled(
        x.address(row: rows.lowerBound), y.address(row: rows.lowerBound), scale, rows.count * x.columns)
    }
  }

  /// Row `row` of x += row `source` of y * scale
  func add(_ y: Matrix, row source: Int, scaled scale: Float, to x: Matrix, row: Int) {
    precondition(x.columns == y.columns && row < x.rows && source < y.rows)
    unsafe kernels.functions.pointee.add_scaled(x.address(row: row), y.address(row: source), scale, x.columns)
  }

  /// x *= factor
  func scale(_ x: Matrix, by factor: Float) {
    if factor != 1 { unsafe kernels.functions.pointee.scale_all(x.pointer, factor, x.rows * x.columns) }
  }

  /// Divides a part of a row.
  func divide(_ x: Matrix, row: Int, columns: Range<Int>, by divisor: Float) {
    unsafe kernels.functions.pointee.scale_all(
      x.address(row: row, column: columns.lowerBound), 1 / divisor, columns.count)
  }

  /// Rotates `width` dimensions from `offset` on in each head of one row.
  func rotate(
    _ x: Matrix, row: Int, headDimension: Int, offset: Int, by turns: Turns, at turn: Int, interleaved: Bool
  ) {
    let pairs = turns.cosines.columns
    precondition(offset + 2 * pairs <= headDimension && x.columns % headDimension == 0)
    for start in stride(from: offset, to: x.columns, by: headDimension) {
      unsafe kernels.functions.pointee.rotate_head(
        x.address(row: row, column: start), turns.cosines.address(row: turn), turns.sines.address(row: turn), pairs,
        interleaved ? 1 : 0)
    }
  }

  /// log(sum(exp(row))) and the column of the greatest number.
  func logSumExp(_ x: Matrix, row: Int) -> (value: Double, greatest: Int) {
    var greatest = 0
    let value = unsafe kernels.functions.pointee.log_sum_exp(x.address(row: row), x.columns, &greatest)
    return (value, greatest)
  }
}

/// How products are computed.
public enum Precision: String, CaseIterable, Sendable {
  /// In 32-bit floats.
  case exact
  /// Of numbers rounded to bf16, with sums in 32-bit floats, where the processor has such products; else as `exact`.
  case fast
}

/// Cosines and sines, times mscale, of the angles of some positions: (rows, pairs).
struct Turns {
  let cosines: Matrix
  let sines: Matrix
}
