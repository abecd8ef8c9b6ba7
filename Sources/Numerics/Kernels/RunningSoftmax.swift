internal import CKernels
import Foundation

/// The online softmax of some queries over keys that are processed block by block.
///
/// Source: M. Milakov, N. Gimelshein, Online normalizer calculation for softmax (arXiv 1805.02867).
package struct RunningSoftmax {
  /// The greatest score of each query so far: (rows).
  fileprivate(set) var maxima: [Float]
  /// The sum of exp(score - maximum) of each query so far: (rows).
  package fileprivate(set) var sums: [Float]
  /// The first column of the next block that each query sees: (rows).
  package var first: [Int32]
  /// The end of the columns of the next block that each query sees, exclusive: (rows).
  package var last: [Int32]

  package init(rows: Int) {
    maxima = Array(repeating: -.infinity, count: rows)
    sums = Array(repeating: 0, count: rows)
    first = Array(repeating: 0, count: rows)
    last = Array(repeating: 0, count: rows)
  }

  /// A softmax whose sums are known from an earlier pass over all keys.
  ///
  /// `KernelTable.step` then replaces scores by probabilities.
  package init(logSums: [Float]) {
    self.init(rows: logSums.count)
    maxima = logSums
  }

  /// log(sum(exp(score))) of each query: (rows).
  package var logSums: [Float] { zip(maxima, sums).map { $0 + log($1) } }

  fileprivate mutating func check(_ scores: MatrixPart, _ out: MatrixPart) {
    precondition(scores.rows.count == maxima.count && out.rows.count == maxima.count)
    precondition(zip(first, last).allSatisfy { 0 <= $0 && $0 <= $1 && $1 <= scores.columns.count })
  }
}

extension KernelTable {
  /// Replaces a block of scores by exp(score - maximum), with the maximum over all blocks so far,
  /// and rescales the sums of earlier blocks in `out` accordingly.
  /// - Parameters:
  ///   - scores: (queries, keys of the block).
  ///   - out: (queries, value dimension).
  package func step(_ softmax: inout RunningSoftmax, _ scores: MatrixPart, into out: MatrixPart) {
    softmax.check(scores, out)
    unsafe functions.pointee.softmax_step(
      scores.address, scores.matrix.columns, scores.rows.count, scores.columns.count, softmax.first,
      softmax.last, &softmax.maxima, &softmax.sums, out.address, out.matrix.columns,
      out.columns.count)
  }

  /// The same, with the exponentials rounded to bf16 into `probabilities`.
  ///
  /// The scores are overwritten.
  package func step(
    _ softmax: inout RunningSoftmax, _ scores: MatrixPart, into out: MatrixPart,
    probabilities: BF16Matrix
  ) {
    softmax.check(scores, out)
    precondition(
      probabilities.rows >= scores.rows.count && probabilities.stride >= scores.columns.count)
    unsafe functions.pointee.softmax_step_bf16(
      scores.address, scores.matrix.columns, scores.rows.count, scores.columns.count, softmax.first,
      softmax.last, &softmax.maxima, &softmax.sums, out.address, out.matrix.columns,
      out.columns.count, probabilities.pointer, probabilities.stride)
  }
}
