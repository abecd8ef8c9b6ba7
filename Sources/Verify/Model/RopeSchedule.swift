import Glibc
public import Patch

/// Which rotary table each position of one sequence is turned by, queries and keys alike.
public struct RopeSchedule: Equatable, Hashable, Sendable {
  /// Radians a position, a pair, as the runtime computes them in 32-bit floats.
  var inverseFrequencies: [[Float]]
  var mscales: [Float]
  /// For each position, an index of the two lists above.
  var tables: [UInt8]

  /// One table for all of `count` positions.
  public init(_ table: UsedTable, count: Int) throws {
    guard let list = table.inverseFrequencies else {
      throw VerifyError(table.name, "this kind of RoPE scaling cannot be run")
    }
    inverseFrequencies = [list.map { Float($0) }]
    mscales = [Float(table.mscale)]
    tables = Array(repeating: 0, count: count)
  }

  /// `short` for the positions for which `isLong` is false, `long` for the others.
  public init(short: UsedTable, long: UsedTable, count: Int, isLong: (Int) -> Bool) throws {
    let other = try RopeSchedule(long, count: 0)
    self = try RopeSchedule(short, count: count)
    guard other.inverseFrequencies != inverseFrequencies || other.mscales != mscales else { return }
    inverseFrequencies += other.inverseFrequencies
    mscales += other.mscales
    tables = (0..<count).map { isLong($0) ? 1 : 0 }
    // A schedule that uses one table only is the same as one that has no other.
    if let first = tables.first, tables.allSatisfy({ $0 == first }) {
      inverseFrequencies = [inverseFrequencies[Int(first)]]
      mscales = [mscales[Int(first)]]
      tables = Array(repeating: 0, count: count)
    }
  }

  /// cos and sin of a position's angles times mscale, computed as the runtimes do, in 32-bit floats.
  func turn(_ position: Int) -> (cosines: [Float], sines: [Float]) {
    let table = Int(tables[position])
    let angles = inverseFrequencies[table].map { $0 * Float(position) }
    return (angles.map { cosf($0) * mscales[table] }, angles.map { sinf($0) * mscales[table] })
  }
}
