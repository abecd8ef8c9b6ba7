import Glibc
package import Models
package import Numerics
package import Patch

/// The rotary table of each position in a sequence, for queries and keys.
public struct RopeSchedule: Equatable, Hashable, Sendable {
  /// Frequencies, and the scale of the cosines and sines.
  package struct Table: Equatable, Hashable, Sendable {
    /// Radians per position for each pair, computed in 32-bit floats as in the runtimes.
    ///
    /// There is one list for all layers, or one per layer: (1 or layers, pairs).
    package var inverseFrequencies: [[Float]]
    /// The attention scale.
    package var mscale: Float
    /// The number of first positions that keep the cosines and sines of the original model, without
    /// factors and mscale.
    ///
    /// This is LongRoPE's n-hat, as in its published code.
    package var startTokens = 0
    /// The frequencies of these positions: (pairs).
    package var unscaled: [Float] = []
    /// One scale per pair instead of `mscale`, or empty.
    ///
    /// Only searches use it.
    package var pairMscales: [Float] = []

    package func scale(at position: Int) -> Float { position < startTokens ? 1 : mscale }

    package func frequencies(layer: Int, position: Int) -> [Float] {
      if position < startTokens { return unscaled }
      return inverseFrequencies.count == 1 ? inverseFrequencies[0] : inverseFrequencies[layer]
    }
  }

  private struct Run: Equatable, Hashable, Sendable {
    var end: Int
    var table: Table
  }

  /// In ascending order.
  ///
  /// The last run has no end, unless `growth` follows.
  private let runs: [Run]
  /// The scaling of the positions beyond the last run, each of which has a base of its own.
  private let growth: DynamicNTK?

  /// How far keys are grouped; nil if all are rotated by their own positions.
  package let selfExtend: SelfExtend?

  /// One table for all positions.
  package init(_ table: Table, _ selfExtend: SelfExtend? = nil) {
    runs = [Run(end: .max, table: table)]
    growth = nil
    self.selfExtend = selfExtend
  }

  /// Dynamic NTK scaling: one table for each chunk of the prompt and one for each further position.
  ///
  /// Cached keys are kept.
  /// - Parameter chunk: the tokens of the prompt that are given at once; nil for all.
  package init(_ scaling: DynamicNTK, prompt: Int, chunk: Int? = nil) {
    let length = max(prompt, scaling.window)
    let whole = chunk.map { PrefillChunks.within(scaling.window, of: $0) } ?? 0
    // Chunks that end within the window have its table.
    let ends =
      prompt > scaling.window
      ? chunk.map { Array(stride(from: max(whole, $0), to: prompt, by: $0)) } ?? [] : []
    runs = (ends + [length]).map {
      Run(end: $0, table: Table(scaling, length: max($0, scaling.window)))
    }
    growth = scaling
    selfExtend = nil
  }

  /// `first` for the positions before `end`, `second` from there on.
  package init(_ first: Table, before end: Int, then second: Table) {
    runs =
      end <= 0 || first == second
      ? [Run(end: .max, table: second)]
      : [Run(end: end, table: first), Run(end: .max, table: second)]
    growth = nil
    selfExtend = nil
  }

  package func table(at position: Int) -> Table {
    if let run = runs.first(where: { position < $0.end }) { return run.table }
    if let growth { return Table(growth, length: position + 1) }
    return runs[runs.count - 1].table
  }

  /// The number of first positions that both schedules rotate in the same way.
  func commonPositions(with other: RopeSchedule) -> Int {
    guard selfExtend == other.selfExtend else { return 0 }
    for (mine, others) in zip(runs, other.runs) {
      if mine.table != others.table { break }
      if mine.end != others.end { return min(mine.end, others.end) }
    }
    if runs == other.runs {
      return growth == other.growth ? .max : runs[runs.count - 1].end
    }
    return runs[0].table == other.runs[0].table ? min(runs[0].end, other.runs[0].end) : 0
  }

  /// The table of all positions, or nil if there are several, or if far keys are grouped.
  var onlyTable: Table? {
    runs.count == 1 && growth == nil && selfExtend == nil ? runs[0].table : nil
  }

  /// Whether the layers have different frequencies.
  var isPerLayer: Bool { runs.contains { $0.table.inverseFrequencies.count > 1 } }
  package var pairs: Int { runs[0].table.inverseFrequencies[0].count }

  /// Checks that the tables fit a model.
  /// - Throws: `ModelError` if they do not.
  package func check(layers: Int, rotary: Int, subject: String) throws {
    for run in runs {
      let lists = run.table.inverseFrequencies
      guard lists.count == 1 || lists.count == layers, lists.allSatisfy({ $0.count * 2 <= rotary })
      else {
        throw ModelError.unsupported(
          subject,
          "\(lists.count) lists of \(pairs) frequencies do not fit \(layers) layers of \(rotary) dimensions"
        )
      }
    }
  }

  /// Computes the cosines and sines for one position, times mscale, in 32-bit floats as in the
  /// runtimes.
  package func turn(_ position: Int, layer: Int, into rotary: RotaryCache, at row: Int) {
    let table = table(at: position)
    let scale = table.scale(at: position)
    let isOwn = !table.pairMscales.isEmpty && position >= table.startTokens
    for (pair, frequency) in table.frequencies(layer: layer, position: position).enumerated() {
      let angle = frequency * Float(position)
      let scale = isOwn ? table.pairMscales[pair] : scale
      rotary.cosines[row, pair] = cosf(angle) * scale
      rotary.sines[row, pair] = sinf(angle) * scale
    }
  }
}

extension RopeSchedule.Table {
  /// The table of dynamic NTK scaling for an input of a length in tokens.
  init(_ scaling: DynamicNTK, length: Int) {
    self.init(
      inverseFrequencies: [
        RotaryFrequencies.singlePrecision(
          theta: scaling.theta(length: length), rotaryDimensions: scaling.rotaryDimensions)
      ], mscale: 1)
  }

  /// - Throws: `ModelError` for a kind of scaling that is not computed here.
  package init(_ used: UsedTable) throws {
    guard let list = used.inverseFrequencies else {
      throw ModelError.unsupported("RoPE scaling '\(used.name)'", "cannot be run")
    }
    self.init(
      inverseFrequencies: [used.singlePrecision ?? list.map { Float($0) }],
      mscale: Float(used.mscale))
  }
}
