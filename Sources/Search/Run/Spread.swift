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
  private let jobs: Int

  /// - Parameters:
  ///   - evaluator: whose forward pass has the threads of one job.
  ///   - jobs: candidates that are evaluated at the same time.
  public init(_ evaluator: Evaluator, jobs: Int) {
    self.evaluator = evaluator
    self.jobs = jobs
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
    try Work.run(pieces.count, jobs: jobs) { index in
      try evaluator.losses([pieces[index].candidate], units: pieces[index].units)[0]
    }
  }
}

/// Pieces of work that may fail, on several threads.
enum Work {
  private final class Results<Value: Sendable>: Sendable {
    let found = Mutex<[Int: Result<Value, any Error>]>([:])
  }

  /// - Throws: what the first failing piece throws.
  static func run<Value: Sendable>(
    _ count: Int, jobs: Int, _ work: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let results = Results<Value>()
    Parallel(threads: jobs).run(count, scratch: { () }) { index, _ in
      // After a failure nothing is worth doing.
      let hasFailed = results.found.withLock { $0.values.contains { (try? $0.get()) == nil } }
      guard !hasFailed else { return }
      let result = Result { try work(index) }
      results.found.withLock { $0[index] = result }
    }
    let found = results.found.withLock { $0 }
    for index in found.keys.sorted() { if case .failure(let error)? = found[index] { throw error } }
    return try (0..<count).map { index in
      guard let result = found[index] else { throw VerifyError("search", "a piece of work was lost") }
      return try result.get()
    }
  }
}
