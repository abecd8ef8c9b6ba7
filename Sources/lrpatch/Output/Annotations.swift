import Foundation
import Patch
import Release
import Verify

/// Failures and findings as annotations of GitHub Actions, if GITHUB_ACTIONS says that this is a
/// run of it.
///
/// They go to stderr, so that stdout has nothing but results.
enum Annotations {
  enum Level: String { case error, warning, notice }

  static var areWanted: Bool { ProcessInfo.processInfo.environment["GITHUB_ACTIONS"] == "true" }

  static func write(_ level: Level, title: String, _ message: String, file: String? = nil) {
    guard areWanted else { return }
    let place = file.map { "file=\(property($0))," } ?? ""
    Output.note("::\(level.rawValue) \(place)title=\(property(title))::\(escaped(message))")
  }

  static func write(_ verdicts: [Verdict], model: String) {
    for verdict in verdicts where !verdict.passes {
      write(.error, title: "lrpatch: \(verdict.gate.text)", "\(model): \(verdict.worstText)")
    }
  }

  static func write(_ findings: [LintFinding], model: String) {
    for finding in findings {
      let level: Level =
        switch finding.rule.severity {
        case .error: .error
        case .warning: .warning
        case .note: .notice
        }
      write(
        level, title: "lrpatch: \(finding.rule.name)",
        "\(model): \(finding.message). \(finding.rule.remedy)")
    }
  }

  private static func escaped(_ text: String) -> String {
    // By scalars: a carriage return and a line feed are one character to Swift.
    text.unicodeScalars.map { ["%": "%25", "\r": "%0D", "\n": "%0A"][$0] ?? String($0) }.joined()
  }

  private static func property(_ text: String) -> String {
    escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}
