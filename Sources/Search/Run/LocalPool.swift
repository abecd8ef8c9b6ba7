/// Threads of one process.
///
/// Each evaluates its own candidates, so that none waits for another.
public struct LocalPool: EvaluatorPool {
  private let evaluator: Evaluator
  private let jobs: Int

  /// Creates a pool of threads.
  /// - Parameters:
  ///   - evaluator: its forward pass has the threads of one job.
  ///   - jobs: the number of candidates that are evaluated at the same time.
  public init(_ evaluator: Evaluator, jobs: Int) {
    self.evaluator = evaluator
    self.jobs = jobs
  }

  /// Always true: there is only one process.
  public var isFirst: Bool { true }

  /// Whether this process wants to stop.
  public func agree(_ wantsToStop: Bool) -> Bool { wantsToStop }

  /// The losses of candidates on a range of units, by candidate and unit.
  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    let pieces = candidates.indices.flatMap { candidate in
      evaluator.units.pieces(of: range).map { (candidate: candidate, units: $0) }
    }
    var losses = candidates.map { _ in [Double]() }
    let found = try self.losses(pieces.map { (candidates[$0.candidate], $0.units) })
    for (piece, part) in zip(pieces, found) { losses[piece.candidate] += part }
    return losses
  }

  /// The loss of a candidate on every unit, and its derivatives.
  public func derivatives(_ candidate: Candidate) throws -> [UnitDerivatives] {
    try derivatives(candidate, units: Array(0..<evaluator.units.count))
  }

  /// The same for some units.
  ///
  /// As many units as there are jobs are evaluated at the same time, and share the threads.
  func derivatives(_ candidate: Candidate, units: [Int]) throws -> [UnitDerivatives] {
    let together = max(1, min(jobs, units.count))
    let own = evaluator.withThreads(jobs * evaluator.threads / together)
    return try ConcurrentMap.run(units.count, jobs: together) { index in
      try own.derivatives(candidate, unit: units[index])
    }
  }

  /// The losses of each piece.
  func losses(_ pieces: [(candidate: Candidate, units: Range<Int>)]) throws -> [[Double]] {
    try ConcurrentMap.run(pieces.count, jobs: jobs) { index in
      try evaluator.losses([pieces[index].candidate], units: pieces[index].units)[0]
    }
  }
}
