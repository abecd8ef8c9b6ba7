import Verify

/// The processes that `mpirun` started.
///
/// All processes run the same search. Each evaluates its share of every generation and receives
/// the losses of the others, so that all have the same state.
struct RankedPool: EvaluatorPool {
  private let local: LocalPool
  private let evaluator: Evaluator
  private let ranks: Ranks

  init(_ evaluator: Evaluator, jobs: Int, ranks: Ranks) {
    self.evaluator = evaluator
    self.ranks = ranks
    local = LocalPool(evaluator, jobs: jobs)
  }

  /// Whether this is the process of rank 0, which writes files.
  var isFirst: Bool { ranks.isFirst }

  /// Whether any process wants to stop.
  func agree(_ wantsToStop: Bool) throws -> Bool {
    var flag = [wantsToStop ? 1.0 : 0]
    try ranks.sum(&flag)
    return flag[0] > 0
  }

  /// The losses of candidates on a range of units, by candidate and unit.
  /// - Throws: `ModelError` if a process is lost.
  func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    // Each rank fills its pieces of one list, and the lists are added. A sum with zeros is exact.
    var all = Array(repeating: 0.0, count: candidates.count * range.count)
    let pieces = candidates.indices.flatMap { candidate in
      evaluator.units.pieces(of: range).map { (candidate: candidate, units: $0) }
    }
    let mine = pieces.indices.filter { $0 % ranks.count == ranks.rank }.map { pieces[$0] }
    for (piece, losses) in zip(
      mine, try local.losses(mine.map { (candidates[$0.candidate], $0.units) }))
    {
      let start = piece.candidate * range.count + piece.units.lowerBound - range.lowerBound
      all.replaceSubrange(start..<start + losses.count, with: losses)
    }
    try ranks.sum(&all)
    return candidates.indices.map { Array(all[$0 * range.count..<($0 + 1) * range.count]) }
  }

  /// The loss of a candidate on every unit, and its derivatives.
  /// - Throws: `ModelError` if a process is lost.
  func derivatives(_ candidate: Candidate) throws -> [UnitDerivatives] {
    let width = candidate.factors.count + 2
    var all = Array(repeating: 0.0, count: evaluator.units.count * width)
    let mine = (0..<evaluator.units.count).filter { $0 % ranks.count == ranks.rank }
    for (unit, found) in zip(mine, try local.derivatives(candidate, units: mine)) {
      let values = [found.loss, found.logMscale] + found.logFactors
      all.replaceSubrange(unit * width..<(unit + 1) * width, with: values)
    }
    try ranks.sum(&all)
    return (0..<evaluator.units.count).map { unit in
      let values = all[unit * width..<(unit + 1) * width]
      return UnitDerivatives(
        loss: values[values.startIndex], logFactors: Array(values.dropFirst(2)),
        logMscale: values[values.startIndex + 1])
    }
  }
}
