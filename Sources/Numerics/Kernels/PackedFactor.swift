/// The right factor of a product, packed in the precision of an engine.
package struct PackedFactor: Sendable {
  private enum Storage: Sendable {
    case bf16(PackedBF16)
    case f32(PackedF32)
  }

  private let storage: Storage
  private let kernels: KernelTable

  /// Packs a part of a matrix with one output per row: (outputs, inputs).
  package init(rows source: MatrixPart, _ engine: Engine) {
    self.init(outputs: source.rows.count, inputs: source.columns.count, engine)
    pack(rows: source)
  }

  /// Packs a part of a matrix with one output per column: (inputs, outputs).
  package init(columns source: MatrixPart, _ engine: Engine) {
    self.init(outputs: source.columns.count, inputs: source.rows.count, engine)
    pack(columns: source)
  }

  /// Allocates memory for a factor that is packed later.
  package init(outputs: Int, inputs: Int, _ engine: Engine) {
    kernels = engine.kernels
    storage =
      engine.usesBF16
      ? .bf16(PackedBF16(outputs: outputs, inputs: inputs, kernels))
      : .f32(PackedF32(outputs: outputs, inputs: inputs))
  }

  /// Replaces the numbers, with one output per row: (outputs, inputs).
  package func pack(rows source: MatrixPart) {
    switch storage {
    case .bf16(let packed): kernels.packRows(source, into: packed)
    case .f32(let packed): kernels.packRows(source, into: packed)
    }
  }

  /// Replaces the numbers, with one output per column: (inputs, outputs).
  package func pack(columns source: MatrixPart) {
    switch storage {
    case .bf16(let packed): kernels.packColumns(source, into: packed)
    case .f32(let packed): kernels.packColumns(source, into: packed)
    }
  }

  /// Computes c(m, n) = alpha * a(m, inputs) * this(n, inputs) transposed, plus c if `accumulates`
  /// is true.
  /// - Parameter scratch: memory for at least m rows of `inputs` numbers, into which `a` is rounded.
  package func multiply(
    _ a: MatrixPart, into c: MatrixPart, alpha: Float = 1, accumulates: Bool = false,
    scratch: BF16Matrix
  ) {
    switch storage {
    case .bf16(let packed):
      kernels.round(a, into: scratch)
      kernels.multiply(
        scratch, inputs: a.columns.count, packed, into: c, alpha: alpha, accumulates: accumulates)
    case .f32(let packed):
      kernels.multiply(a, packed, into: c, alpha: alpha, accumulates: accumulates)
    }
  }
}

extension Engine {
  /// Memory into which left factors of up to `rows` rows of `columns` numbers are rounded; none if
  /// products are exact.
  package func roundingScratch(rows: Int, columns: Int) -> BF16Matrix {
    BF16Matrix(rows: usesBF16 ? rows : 0, columns: columns)
  }
}
