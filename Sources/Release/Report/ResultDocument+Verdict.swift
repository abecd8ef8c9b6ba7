import Formats
package import Verify

extension ResultDocument {
  /// Whether a gate that was judged does not hold.
  package var hasFailed: Bool { verdicts.contains { !$0.passes } }

  /// The verdict in one word: `passed`, `FAILED`, `INCOMPLETE` for a run that ended early, or
  /// `measured` for a run without gates.
  var verdict: String {
    isComplete ? verdicts.isEmpty ? "measured" : hasFailed ? "FAILED" : "passed" : "INCOMPLETE"
  }

  /// How long all runs took; nil if that is not known.
  var seconds: Double? {
    let all = provenance.runs.compactMap(\.seconds)
    return all.isEmpty ? nil : all.reduce(0, +)
  }

  /// The window of the model as it was run; nil if that is not known.
  var window: Int? { inspection["rope"]?["window"]?.integer }

  /// A length with a mark if it is beyond the original window, and another one if it is beyond the
  /// model's window.
  func marked(_ length: Int) -> String {
    if let window, length > window { return "\(length) **" }
    return length > measured.originalWindow ? "\(length) *" : "\(length)"
  }

  /// What the marks of the measured lengths mean, how keys and values were rounded, and what was
  /// measured besides the runtimes; empty if there is nothing to say.
  var marks: String {
    (lengthMarks + [cacheRemark].compactMap(\.self) + extensionRemarks).joined(separator: "; ")
  }

  /// What the marks of the measured lengths mean.
  var lengthMarks: [String] {
    var parts: [String] = []
    let window = window ?? .max
    if measured.lengths.contains(where: { $0 > measured.originalWindow && $0 <= window }) {
      parts.append("* beyond the original window of \(measured.originalWindow) tokens")
    }
    if measured.lengths.contains(where: { $0 > window }) {
      parts.append("** beyond the model's window of \(window) tokens")
    }
    return parts
  }
}

extension Verdict {
  /// The worst value and where it was measured.
  package var worstText: String { worst.map { "\($0.sixDigits), \(place)" } ?? place }
}

extension ResultDocument {
  /// The date and the duration of the measurement; empty if they are not known.
  var occasion: String {
    guard let began = provenance.runs.compactMap(\.began).min() else { return "" }
    let took = seconds.map { ", in \(Self.duration($0))" } ?? ""
    return "Measured on \(began.prefix(10))\(took)."
  }

  private static func duration(_ seconds: Double) -> String {
    if seconds < 90 { return "\(Int(seconds.rounded(.up))) s" }
    return seconds < 5400
      ? "\(Int((seconds / 60).rounded())) min" : "\((seconds / 360).rounded() / 10) h"
  }
}
