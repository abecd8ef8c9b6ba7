import Synchronization

/// The losses of single units that belong to a generation which is not complete yet.
///
/// A pool notes each loss once it is known and computes none twice, so that an early end loses only
/// the units that were under way.
public final class UnitLedger: Sendable {
  /// What is known of a candidate on one unit.
  struct Entry: Codable, Hashable, Sendable {
    var candidate: Candidate
    var unit: Int
    var result: UnitDerivatives
  }

  private struct Place: Hashable {
    var candidate: Candidate
    var unit: Int
  }

  private let results = Mutex<[Place: UnitDerivatives]>([:])

  init(_ entries: [Entry] = []) {
    for entry in entries { note(entry.result, entry.candidate, entry.unit) }
  }

  /// The entries, in an order that does not depend on that in which they were noted.
  var entries: [Entry] {
    let all = results.withLock { $0 }
    return all.map { Entry(candidate: $0.candidate, unit: $0.unit, result: $1) }.sorted {
      $0.unit == $1.unit
        ? $0.candidate.factors.lexicographicallyPrecedes($1.candidate.factors) : $0.unit < $1.unit
    }
  }

  func note(_ result: UnitDerivatives, _ candidate: Candidate, _ unit: Int) {
    results.withLock { $0[Place(candidate: candidate, unit: unit)] = result }
  }

  /// What is known, with its derivatives if they are wanted.
  func result(
    _ candidate: Candidate, _ unit: Int, withDerivatives: Bool
  ) -> UnitDerivatives? {
    let found = results.withLock { $0[Place(candidate: candidate, unit: unit)] }
    return withDerivatives && found?.logFactors.isEmpty ?? true ? nil : found
  }

  /// Forgets everything, once the generation is complete.
  func clear() { results.withLock { $0 = [:] } }

  /// The best of the candidates of which most units are known.
  ///
  /// - Returns: nil if nothing is known.
  func best(of unitCount: Int) -> Evaluated? {
    let losses = Dictionary(grouping: entries, by: \.candidate).mapValues {
      $0.map(\.result.loss)
    }
    guard let most = losses.values.map(\.count).max() else { return nil }
    return losses.filter { $0.value.count == most }
      .map { Evaluated(candidate: $0, losses: $1, isComplete: most == unitCount) }
      .min { ($0.fitness, $0.candidate.factors[0]) < ($1.fitness, $1.candidate.factors[0]) }
  }
}
