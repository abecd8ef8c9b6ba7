#if MPI
internal import CMPI
import Formats
import Glibc
import Models
import Verify

/// The processes that `mpirun` started.
///
/// All processes run the same search. Each evaluates its share of every generation and receives
/// the losses of the others, so that all have the same state.
public final class MPIPool: EvaluatorPool {
  private let local: LocalPool
  private let evaluator: Evaluator
  private let rank: Int
  private let count: Int

  /// Whether this process is one of several.
  public static var isLaunched: Bool { unsafe getenv("OMPI_COMM_WORLD_SIZE") != nil }

  /// Starts MPI.
  /// - Throws: `ModelError` if MPI does not start.
  public init(_ evaluator: Evaluator, jobs: Int) throws {
    guard mpi_begin() == 0 else { throw ModelError.unsupported("MPI", "cannot be started") }
    self.evaluator = evaluator
    local = LocalPool(evaluator, jobs: jobs)
    (rank, count) = (Int(mpi_rank()), Int(mpi_count()))
  }

  /// Whether this is the process of rank 0, which writes files.
  public var isFirst: Bool { rank == 0 }

  /// Ends MPI.
  ///
  /// With a code other than 0 it also ends the other processes.
  public static func end(code: Int32) { code == 0 ? mpi_end() : mpi_abort(code) }

  /// Whether any process wants to stop.
  public func agree(_ wantsToStop: Bool) throws -> Bool {
    var flag = [wantsToStop ? 1.0 : 0]
    try sum(&flag)
    return flag[0] > 0
  }

  /// The losses of candidates on a range of units, by candidate and unit.
  /// - Throws: `ModelError` if a process is lost.
  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    // Each rank fills its pieces of one list, and the lists are added. A sum with zeros is exact.
    var all = Array(repeating: 0.0, count: candidates.count * range.count)
    let pieces = candidates.indices.flatMap { candidate in
      evaluator.units.pieces(of: range).map { (candidate: candidate, units: $0) }
    }
    let mine = pieces.indices.filter { $0 % count == rank }.map { pieces[$0] }
    for (piece, losses) in zip(
      mine, try local.losses(mine.map { (candidates[$0.candidate], $0.units) }))
    {
      let start = piece.candidate * range.count + piece.units.lowerBound - range.lowerBound
      all.replaceSubrange(start..<start + losses.count, with: losses)
    }
    try sum(&all)
    return candidates.indices.map { Array(all[$0 * range.count..<($0 + 1) * range.count]) }
  }

  /// The loss of a candidate on every unit, and its derivatives.
  /// - Throws: `ModelError` if a process is lost.
  public func derivatives(_ candidate: Candidate) throws -> [UnitDerivatives] {
    let width = candidate.factors.count + 2
    var all = Array(repeating: 0.0, count: evaluator.units.count * width)
    let mine = (0..<evaluator.units.count).filter { $0 % count == rank }
    for (unit, found) in zip(mine, try local.derivatives(candidate, units: mine)) {
      let values = [found.loss, found.logMscale] + found.logFactors
      all.replaceSubrange(unit * width..<(unit + 1) * width, with: values)
    }
    try sum(&all)
    return (0..<evaluator.units.count).map { unit in
      let values = all[unit * width..<(unit + 1) * width]
      return UnitDerivatives(
        loss: values[values.startIndex], logFactors: Array(values.dropFirst(2)),
        logMscale: values[values.startIndex + 1])
    }
  }

  private func sum(_ values: inout [Double]) throws {
    guard unsafe mpi_sum(&values, Int32(values.count)) == 0 else {
      throw ModelError.unsupported(
        "MPI", "a process is lost; continue from the checkpoint with --resume")
    }
  }
}
#endif
