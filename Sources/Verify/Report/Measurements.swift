/// Everything that one run of `verify` has measured.
public struct Measurements: Equatable, Sendable {
  public var originalWindow: Int
  public var passkeys: [Passkey.Result] = []
  public var perplexities: [Perplexity.Result] = []

  public init(originalWindow: Int) { self.originalWindow = originalWindow }

  /// The share of passkeys that a runtime found at a length; nil where none was tried.
  public func passkeyShare(_ runtime: String, length: Int) -> Double? {
    let cells = passkeys.filter { $0.runtime == runtime && $0.cell.length == length }
    guard !cells.isEmpty else { return nil }
    return Double(cells.filter(\.isExact).count) / Double(cells.count)
  }

  public func perplexity(_ runtime: String, length: Int) -> Perplexity.Result? {
    perplexities.first { $0.runtime == runtime && $0.length == length }
  }

  public var runtimes: [String] { unique(passkeys.map(\.runtime) + perplexities.map(\.runtime)) }
  public var lengths: [Int] { Set(passkeys.map(\.cell.length) + perplexities.map(\.length)).sorted() }

  private func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  /// Judges a gate by its worst cell. A metric that was not measured fails.
  public func judge(_ gate: Gate) -> Verdict {
    var cells: [(value: Double, place: String)] = []
    for runtime in runtimes {
      for length in lengths
      where gate.covers(length: length, runtime: runtime, originalWindow: originalWindow) {
        let value =
          gate.metric == "passkey"
          ? passkeyShare(runtime, length: length) : perplexity(runtime, length: length)?.value
        if let value { cells.append((value, "\(runtime) at \(length)")) }
      }
    }
    let worst =
      gate.comparison == .atLeast
      ? cells.min { $0.value < $1.value } : cells.max { $0.value < $1.value }
    guard let worst else { return Verdict(gate: gate, worst: nil, place: "not measured", passes: false) }
    return Verdict(gate: gate, worst: worst.value, place: worst.place, passes: gate.holds(worst.value))
  }
}
