import Synchronization
import Verify

/// Who computes losses: this process with some threads, or many processes.
public protocol Spread: Sendable {
  /// - Returns: (candidate, unit), the same for any number of workers.
  func losses(_ candidates: [Candidate], units: Range<Int>) throws -> [[Double]]
  /// Whether all workers are to stop, asked of each at the same place: true where one of them wants to.
  func agree(_ wantsToStop: Bool) throws -> Bool
  /// Whether this process writes files.
  var isFirst: Bool { get }
}

/// Threads of one process, each with candidates of its own: that leaves nothing to wait for.
public struct LocalSpread: Spread {
  private let evaluator: Evaluator
  private let parallel: Parallel

  /// - Parameters:
  ///   - evaluator: whose forward pass has the threads of one job.
  ///   - jobs: candidates that are evaluated at the same time.
  public init(_ evaluator: Evaluator, jobs: Int) {
    self.evaluator = evaluator
    parallel = Parallel(threads: jobs)
  }

  public var isFirst: Bool { true }

  public func agree(_ wantsToStop: Bool) -> Bool { wantsToStop }

  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    let pieces = candidates.indices.flatMap { candidate in
      evaluator.units.pieces(of: range).map { (candidate: candidate, units: $0) }
    }
    var losses = candidates.map { _ in [Double]() }
    for (piece, found) in zip(pieces, try self.losses(pieces.map { (candidates[$0.candidate], $0.units) })) {
      losses[piece.candidate] += found
    }
    return losses
  }

  /// Of each piece by itself.
  func losses(_ pieces: [(candidate: Candidate, units: Range<Int>)]) throws -> [[Double]] {
    let results = Results()
    parallel.run(pieces.count, scratch: { () }) { index, _ in
      let (candidate, units) = pieces[index]
      results.set(index, Result { try evaluator.losses([candidate], units: units)[0] })
    }
    return try pieces.indices.map { try results[$0].get() }
  }
}

/// What several threads find, each its own.
private final class Results: Sendable {
  private let found = Mutex<[Int: Result<[Double], any Error>]>([:])

  func set(_ index: Int, _ value: Result<[Double], any Error>) { found.withLock { $0[index] = value } }

  subscript(_ index: Int) -> Result<[Double], any Error> {
    found.withLock { $0[index] } ?? .failure(VerifyError("search", "a piece of work was lost"))
  }
}
