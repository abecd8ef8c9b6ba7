import Formats
import Foundation
import Synchronization

/// Tries whether the expressions of a tokenizer match fast.
///
/// Each is tried on runs of every character in it and of each kind of character. On these, an
/// expression with excessive backtracking takes cubic time or more.
final class ExpressionTrial: Sendable {
  /// The processor time for the trials of all expressions of one tokenizer.
  ///
  /// An expression of a published model takes a twentieth of a second.
  private static let patience = Duration.milliseconds(500)
  /// The lengths of the runs.
  ///
  /// The short ones are for expressions that need more memory than ICU allows on long ones.
  private static let lengths = [24, 64, 256, 1280]
  private static let kinds = [
    "a", "A", "0", " ", ".", "\n", "\t", "é", "日", "\u{301}", "aA", " a", "a0",
  ]

  /// The trial of the tokenizer that is being opened; nil if an expression is read by itself.
  @TaskLocal static var current: ExpressionTrial?

  private let left = Mutex(patience)

  /// Whether an expression is fast enough, and time is left after it.
  func passes(_ expression: NSRegularExpression) -> Bool {
    let pattern = expression.pattern
    guard pattern.contains(/[*+]|\{[0-9]/) else { return true }
    let named = Set(pattern.unicodeScalars.filter { $0.properties.isAlphabetic || $0.value < 0x80 })
      .sorted().prefix(64)
    let runs = Set(named.map(String.init) + Self.kinds).sorted()
    let start = ProcessorTime.ofThread
    let end = start + left.withLock(\.self)
    defer { left.withLock { $0 -= ProcessorTime.ofThread - start } }
    for count in Self.lengths {
      for run in runs {
        let text = String(repeating: run, count: count) + (run == "!" ? "a" : "!")
        guard matches(expression, in: text, until: end) else { return false }
      }
    }
    return true
  }

  /// Searches from the beginning, the middle and near the end of a text, each up to its first match.
  ///
  /// All characters but the last are the same, so later matches would be like these. The search
  /// stops at a time, even within a match.
  /// - Returns: whether it ended before that time.
  private func matches(
    _ expression: NSRegularExpression, in text: String, until end: Duration
  ) -> Bool {
    let count = text.utf16.count
    for start in count > 64 ? [0, count / 2, count - 8] : [0] {
      expression.search(text, NSRange(location: start, length: count - start)) { match in
        match == nil && ProcessorTime.ofThread <= end
      }
    }
    return ProcessorTime.ofThread <= end
  }
}
