import Numerics

/// What a backward pass needs of the forward pass of one layer, for all rows of a sequence.
///
/// Everything else is computed again.
final class LayerRecord: Sendable {
  /// The hidden states before the layer: (rows, hidden).
  let input: Matrix
  /// The result of attention, before its output projection: (rows, heads * valueDimension).
  let attended: Matrix
  /// log(sum(exp(score))) of each query: (rows, heads).
  let logSums: Matrix

  init(_ input: Matrix, _ shape: AttentionShape) {
    self.input = input
    attended = Matrix(rows: input.rows, columns: shape.attendedWidth)
    logSums = Matrix(rows: input.rows, columns: shape.heads)
  }

  /// Keeps the results of some rows, from `row` on.
  func keep(_ attended: Matrix, _ logSums: Matrix, at row: Int) {
    self.attended.copy(attended, at: row)
    self.logSums.copy(logSums, at: row)
  }
}
