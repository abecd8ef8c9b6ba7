import Foundation
import Models

/// A regular expression, matched by ICU.
///
/// Those in tokenizer.json are written for Oniguruma, in which ^ and $ match at every line and only
/// a line feed ends a line.
struct Expression: Sendable {
  /// The largest number of bytes in an expression.
  private static let longest = 1 << 14
  /// The time limit for all trials.
  ///
  /// The expressions of published models take a tenth of a second.
  private static let patience = Duration.seconds(4)

  private let expression: NSRegularExpression

  init(_ text: String, subject: String) throws {
    guard text.utf8.count <= Self.longest else {
      throw ModelError.unsupported(
        subject,
        "a regular expression has \(text.utf8.count) bytes, expected at most \(Self.longest)")
    }
    do {
      expression = try NSRegularExpression(
        pattern: text, options: [.anchorsMatchLines, .useUnixLineSeparators])
    } catch {
      throw ModelError.unsupported(subject, "the regular expression '\(text)' cannot be parsed")
    }
    if !SplitExpressions.all.contains(text) && !isQuick(for: text) {
      throw ModelError.unsupported(
        subject, "the regular expression '\(text)' takes too long on some texts")
    }
  }

  /// The byte ranges of all matches within each range.
  ///
  /// Matches may be empty.
  func matches(in text: [UInt8], ranges: [Range<Int>]) -> [[Range<Int>]] {
    let string = String(decoding: text, as: UTF8.self)
    var cursor = UnitCursor(text)
    return ranges.map { range in
      cursor.advance(toByte: range.lowerBound)
      let start = cursor.unit
      var ahead = cursor
      ahead.advance(toByte: range.upperBound)
      let units = NSRange(location: start, length: ahead.unit - start)
      return expression.matches(in: string, range: units).map { match in
        cursor.advance(toUnit: match.range.location)
        let lower = cursor.byte
        cursor.advance(toUnit: match.range.location + match.range.length)
        return lower..<cursor.byte
      }
    }
  }

  /// Whether matching is fast on runs of each character in the expression and of each kind of
  /// character.
  ///
  /// On these, an expression with excessive backtracking takes cubic time or more. The runs grow
  /// slowly, so that the first slow one does not take too long.
  private func isQuick(for pattern: String) -> Bool {
    guard pattern.contains(where: { "*+{".contains($0) }) else { return true }
    let named = Set(pattern.unicodeScalars.filter { $0.properties.isAlphabetic || $0.value < 0x80 })
      .sorted().prefix(64)
    let kinds = ["a", "A", "0", " ", ".", "\n", "\t", "é", "日", "\u{301}", "aA", " a", "a0"]
    let runs = Set(named.map(String.init) + kinds)
    let start = ContinuousClock.now
    var count = 8
    while count <= 1 << 12 {
      for run in runs {
        let text = String(repeating: run, count: count) + (run == "!" ? "a" : "!")
        _ = expression.numberOfMatches(
          in: text, range: NSRange(location: 0, length: text.utf16.count))
        if ContinuousClock.now - start > Self.patience { return false }
      }
      count = count < 40 ? count + 2 : count * 2
    }
    return true
  }
}
