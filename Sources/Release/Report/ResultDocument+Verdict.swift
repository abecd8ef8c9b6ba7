package import Verify

extension ResultDocument {
  /// Whether a gate that was judged does not hold.
  package var hasFailed: Bool { verdicts.contains { !$0.passes } }

  /// The verdict in one word: `passed`, `FAILED`, or `measured` for a run without gates.
  var verdict: String { verdicts.isEmpty ? "measured" : hasFailed ? "FAILED" : "passed" }
}

extension Verdict {
  /// The worst value and where it was measured.
  package var worstText: String { worst.map { "\($0.sixDigits), \(place)" } ?? place }
}
