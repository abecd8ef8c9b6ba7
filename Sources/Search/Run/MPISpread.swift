#if MPI
internal import CMPI
import Formats
import Glibc
import Verify

/// Processes that `mpirun` has started. All run the same search; each evaluates its share of every generation, and all
/// learn the whole, so that they stay the same.
public final class MPISpread: Spread {
  private let local: LocalSpread
  private let evaluator: Evaluator
  private let rank: Int
  private let count: Int

  /// Whether this process is one of several.
  public static var isLaunched: Bool { unsafe getenv("OMPI_COMM_WORLD_SIZE") != nil }

  /// - Throws: `VerifyError` where MPI does not start.
  public init(_ evaluator: Evaluator, jobs: Int) throws {
    guard mpi_begin() == 0 else { throw VerifyError("MPI", "does not start") }
    self.evaluator = evaluator
    local = LocalSpread(evaluator, jobs: jobs)
    (rank, count) = (Int(mpi_rank()), Int(mpi_count()))
  }

  public var isFirst: Bool { rank == 0 }

  /// Ends the other processes too.
  public static func end(code: Int32) { code == 0 ? mpi_end() : mpi_abort(code) }

  public func agree(_ wantsToStop: Bool) throws -> Bool {
    var flag = [wantsToStop ? 1.0 : 0]
    try sum(&flag)
    return flag[0] > 0
  }

  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    // Everything in one list, of which each rank fills its pieces; a sum with zeros is exact.
    var all = Array(repeating: 0.0, count: candidates.count * range.count)
    let pieces = candidates.indices.flatMap { candidate in
      evaluator.units.pieces(of: range).map { (candidate: candidate, units: $0) }
    }
    let mine = pieces.indices.filter { $0 % count == rank }.map { pieces[$0] }
    for (piece, losses) in zip(mine, try local.losses(mine.map { (candidates[$0.candidate], $0.units) })) {
      let start = piece.candidate * range.count + piece.units.lowerBound - range.lowerBound
      all.replaceSubrange(start..<start + losses.count, with: losses)
    }
    try sum(&all)
    return candidates.indices.map { Array(all[$0 * range.count..<($0 + 1) * range.count]) }
  }

  private func sum(_ values: inout [Double]) throws {
    guard unsafe mpi_sum(&values, Int32(values.count)) == 0 else {
      throw VerifyError("MPI", "a process cannot be reached any more")
    }
  }
}
#endif
