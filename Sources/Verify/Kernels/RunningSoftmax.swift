internal import CKernels

/// The softmax of some queries over keys that come block by block.
struct RunningSoftmax {
  /// Of the scores seen so far, and the sums of their exponentials less these.
  fileprivate(set) var maxima: [Float]
  fileprivate(set) var sums: [Float]
  /// The columns of the next block that each query sees: from, and up to.
  var first: [Int32]
  var last: [Int32]

  init(rows: Int) {
    maxima = Array(repeating: -.infinity, count: rows)
    sums = Array(repeating: 0, count: rows)
    first = Array(repeating: 0, count: rows)
    last = Array(repeating: 0, count: rows)
  }

  fileprivate mutating func check(_ scores: MatrixPart, _ out: MatrixPart) {
    precondition(scores.rows.count == maxima.count && out.rows.count == maxima.count)
    precondition(zip(first, last).allSatisfy { 0 <= $0 && $0 <= $1 && $1 <= scores.columns.count })
  }
}

extension KernelTable {
  /// Turns a block of scores into exponentials, and scales what was added up of earlier blocks to them.
  func step(_ softmax: inout RunningSoftmax, _ scores: MatrixPart, into out: MatrixPart) {
    softmax.check(scores, out)
    unsafe functions.pointee.softmax_step(
      scores.address, scores.matrix.columns, scores.rows.count, scores.columns.count, softmax.first, softmax.last,
      &softmax.maxima, &softmax.sums, out.address, out.matrix.columns, out.columns.count)
  }

  /// The same with the exponentials rounded into a matrix of their own.
  func step(
    _ softmax: inout RunningSoftmax, _ scores: MatrixPart, into out: MatrixPart, probabilities: HalfMatrix
  ) {
    softmax.check(scores, out)
    precondition(probabilities.rows >= scores.rows.count && probabilities.stride >= scores.columns.count)
    unsafe functions.pointee.softmax_step_bf16(
      scores.address, scores.matrix.columns, scores.rows.count, scores.columns.count, softmax.first, softmax.last,
      &softmax.maxima, &softmax.sums, out.address, out.matrix.columns, out.columns.count, probabilities.pointer,
      probabilities.stride)
  }
}
