import Formats
import Glibc
import Models

#if MPI
internal import CMPI
#endif

/// The processes of one run: this one alone, or those that `mpirun` started.
///
/// `mpirun` needs a program that was built with the package trait `MPI`.
package struct Ranks: Sendable {
  /// The number of this process, from 0.
  package let rank: Int
  /// The number of processes.
  package let count: Int

  /// Whether this process writes files and shows results.
  package var isFirst: Bool { rank == 0 }
  /// Whether this process is the only one.
  package var isAlone: Bool { count == 1 }

  /// The number of processes that `mpirun` started; nil without it.
  private static var launched: Int? {
    unsafe getenv("OMPI_COMM_WORLD_SIZE").flatMap { unsafe Int(String(cString: $0)) }
  }

  /// Starts MPI if `mpirun` started this process.
  /// - Throws: `ModelError` if MPI does not start, or if the program has none.
  package init() throws {
    guard let launched = Self.launched else {
      (rank, count) = (0, 1)
      return
    }
    #if MPI
    guard mpi_begin() == 0 else { throw ModelError.unsupported("MPI", "cannot be started") }
    (rank, count) = (Int(mpi_rank()), Int(mpi_count()))
    #else
    guard launched == 1 else {
      throw ModelError.unsupported(
        "mpirun",
        "started \(launched) processes of a program without MPI; build it with `swift build -c release --traits MPI`"
      )
    }
    (rank, count) = (0, 1)
    #endif
  }

  /// Refuses to be one of several processes of a command that does not divide its work.
  /// - Throws: `OptionError`, or what `init` throws.
  package static func requireAlone(_ command: String) throws {
    try OptionError.require(
      Ranks().isAlone, "\(command) does not divide its work; run it without mpirun")
  }

  /// Ends MPI, if it was started.
  ///
  /// With a code other than 0 it also ends the other processes.
  package static func end(code: Int32) {
    #if MPI
    code == 0 ? mpi_end() : mpi_abort(code)
    #endif
  }

  /// Adds the values over all processes; each receives the sums.
  /// - Throws: `ModelError` if a process is lost.
  package func sum(_ values: inout [Double]) throws {
    #if MPI
    if isAlone { return }
    try require(unsafe mpi_sum(&values, Int32(values.count)))
    #endif
  }

  /// What every process gives, by its number, for the first; empty for the others.
  /// - Throws: `ModelError` if a process is lost, or for more than 2 GiB.
  package func gather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    #if MPI
    if isAlone { return [bytes] }
    var counts = Array(repeating: 0.0, count: count)
    counts[rank] = Double(bytes.count)
    try sum(&counts)
    var sizes = counts.map { Int32(clamping: Int($0)) }
    let total = counts.reduce(0, +)
    guard total <= Double(Int32.max) else {
      throw ModelError.unsupported("MPI", "the results have \(Int(total)) bytes, more than 2 GiB")
    }
    var all = [UInt8](repeating: 0, count: isFirst ? Int(total) : 0)
    try require(unsafe mpi_gather(bytes, Int32(bytes.count), &all, &sizes, Int32(count)))
    guard isFirst else { return [] }
    var start = 0
    return sizes.map { size in
      defer { start += Int(size) }
      return Array(all[start..<start + Int(size)])
    }
    #else
    return [bytes]
    #endif
  }

  private func require(_ code: Int32) throws {
    guard code == 0 else { throw ModelError.unsupported("MPI", "a process is lost") }
  }
}
