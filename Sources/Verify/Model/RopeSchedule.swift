import Glibc
import Patch

/// Which rotary table each position of a sequence is turned by, queries and keys alike.
public struct RopeSchedule: Equatable, Hashable, Sendable {
  /// Frequencies and the scale of the cosines and sines.
  struct Table: Equatable, Hashable, Sendable {
    /// Radians a position, a pair, as the runtimes compute them in 32-bit floats: one list for all layers, or one each.
    var inverseFrequencies: [[Float]]
    var mscale: Float
    /// Positions before this one keep the original model's cosines and sines: unscaled frequencies, no mscale
    /// (LongRoPE's n-hat, as its published code has it).
    var startTokens = 0
    var unscaled: [Float] = []
    /// A scale for each pair instead of mscale, where a search tries that.
    var pairMscales: [Float] = []

    func scale(at position: Int) -> Float { position < startTokens ? 1 : mscale }

    func frequencies(layer: Int, position: Int) -> [Float] {
      if position < startTokens { return unscaled }
      return inverseFrequencies.count == 1 ? inverseFrequencies[0] : inverseFrequencies[layer]
    }
  }

  private struct Run: Equatable, Hashable, Sendable {
    var end: Int
    var table: Table
  }

  /// In order; the last has no end.
  private let runs: [Run]

  /// One table for all positions.
  init(_ table: Table) { runs = [Run(end: .max, table: table)] }

  /// `first` for the positions before `end`, `second` from there on.
  init(_ first: Table, before end: Int, then second: Table) {
    runs =
      end <= 0 || first == second
      ? [Run(end: .max, table: second)] : [Run(end: end, table: first), Run(end: .max, table: second)]
  }

  func table(at position: Int) -> Table {
    (runs.first { position < $0.end } ?? runs[runs.count - 1]).table
  }

  /// The positions, from 0 on, that both turn alike.
  func commonPositions(with other: RopeSchedule) -> Int {
    for (mine, others) in zip(runs, other.runs) {
      if mine.table != others.table { break }
      if mine.end != others.end { return min(mine.end, others.end) }
    }
    if runs == other.runs { return .max }
    return runs[0].table == other.runs[0].table ? min(runs[0].end, other.runs[0].end) : 0
  }

  /// Whether layers differ.
  var isPerLayer: Bool { runs.contains { $0.table.inverseFrequencies.count > 1 } }
  var pairs: Int { runs[0].table.inverseFrequencies[0].count }

  /// - Throws: `VerifyError` where the tables do not fit a model.
  func check(layers: Int, rotary: Int, subject: String) throws {
    for run in runs {
      let lists = run.table.inverseFrequencies
      guard lists.count == 1 || lists.count == layers, lists.allSatisfy({ $0.count * 2 <= rotary }) else {
        throw VerifyError(
          subject, "\(lists.count) lists of \(pairs) frequencies do not fit \(layers) layers of \(rotary) dimensions")
      }
    }
  }

  /// cos and sin of a position's angles times mscale, computed as the runtimes do, in 32-bit floats.
  func turn(_ position: Int, layer: Int, into turns: Turns, at row: Int) {
    let table = table(at: position)
    let scale = table.scale(at: position)
    let isOwn = !table.pairMscales.isEmpty && position >= table.startTokens
    for (pair, frequency) in table.frequencies(layer: layer, position: position).enumerated() {
      let angle = frequency * Float(position)
      let scale = isOwn ? table.pairMscales[pair] : scale
      turns.cosines[row, pair] = cosf(angle) * scale
      turns.sines[row, pair] = sinf(angle) * scale
    }
  }
}

extension RopeSchedule.Table {
  /// - Throws: `VerifyError` for a kind of scaling that is not computed.
  init(_ used: UsedTable) throws {
    guard let list = used.inverseFrequencies else {
      throw VerifyError("RoPE scaling '\(used.name)'", "cannot be run")
    }
    self.init(
      inverseFrequencies: [used.singlePrecision ?? list.map { Float($0) }], mscale: Float(used.mscale))
  }
}
