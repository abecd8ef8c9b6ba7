public import Formats

/// A gate and what was measured for it.
public struct Verdict: Equatable, Sendable {
  /// The gate that is judged.
  public var gate: Gate
  /// The worst value among runtimes and lengths; nil if the measurement is incomplete.
  public var worst: Double?
  /// Where the worst value was measured, a runtime and a length; or why there is none.
  public var place: String
  /// Whether the gate holds.
  public var passes: Bool

  /// The verdict's entry in a saved result.
  public var json: JSONValue {
    .object([
      "gate": .string(gate.text), "passed": .bool(passes),
      "worst": worst.map { .number($0) } ?? .null, "place": .string(place),
    ])
  }
}
