/// Threads of one process.
///
/// Each evaluates its own candidates, so that none waits for another.
public struct LocalPool: EvaluatorPool {
  private let evaluator: Evaluator
  private let jobs: Int
  private let ledger: UnitLedger?

  /// Creates a pool of threads.
  /// - Parameters:
  ///   - evaluator: its forward pass has the threads of one job.
  ///   - jobs: the number of candidates that are evaluated at the same time.
  ///   - ledger: what is known already, to which every result is added.
  public init(_ evaluator: Evaluator, jobs: Int, ledger: UnitLedger? = nil) {
    self.evaluator = evaluator
    self.jobs = jobs
    self.ledger = ledger
  }

  /// Always true: there is only one process.
  public var isFirst: Bool { true }

  /// Whether this process wants to stop.
  public func agree(_ wantsToStop: Bool) -> Bool { wantsToStop }

  /// The losses of candidates on a range of units, by candidate and unit.
  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    // All candidates on some units before any on the next, so that an early end leaves losses that
    // can be compared.
    let pieces = evaluator.units.pieces(of: range).flatMap { units in
      candidates.indices.map { (candidate: $0, units: units) }
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
      let unit = units[index]
      if let known = ledger?.result(candidate, unit, withDerivatives: true) { return known }
      let found = try own.derivatives(candidate, unit: unit)
      ledger?.note(found, candidate, unit)
      return found
    }
  }

  /// The losses of each piece.
  func losses(_ pieces: [(candidate: Candidate, units: Range<Int>)]) throws -> [[Double]] {
    try ConcurrentMap.run(pieces.count, jobs: jobs) { index in
      let (candidate, units) = pieces[index]
      let known = units.compactMap { ledger?.result(candidate, $0, withDerivatives: false)?.loss }
      if known.count == units.count { return known }
      let found = try evaluator.losses([candidate], units: units)[0]
      for (unit, loss) in zip(units, found) {
        ledger?.note(UnitDerivatives(loss: loss), candidate, unit)
      }
      return found
    }
  }
}
