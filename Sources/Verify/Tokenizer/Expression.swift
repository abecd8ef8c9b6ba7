import Foundation

/// A regular expression of ICU's. Those in tokenizer.json are written for Oniguruma, where ^ and $ are at every line and
/// only a line feed ends one.
struct Expression: Sendable {
  /// The most characters that one may have.
  private static let longest = 1 << 14
  /// For all trials; those of an expression as models have them take a tenth of a second.
  private static let patience = Duration.seconds(4)

  private let expression: NSRegularExpression

  init(_ text: String, subject: String) throws {
    guard text.utf8.count <= Self.longest else {
      throw VerifyError(subject, "a regular expression of \(text.utf8.count) bytes")
    }
    do {
      expression = try NSRegularExpression(
        pattern: text, options: [.anchorsMatchLines, .useUnixLineSeparators])
    } catch {
      throw VerifyError(subject, "the regular expression '\(text)' is not understood")
    }
    if !KnownExpressions.all.contains(text) && !isQuick(for: text) {
      throw VerifyError(subject, "the regular expression '\(text)' takes too long on some texts")
    }
  }

  /// Byte ranges; matches may be empty.
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

  /// Whether it stays below cubic time on runs of each character that it names and of each kind, which is where an
  /// expression that tries everything twice does not. The runs grow slowly, so that the first slow one is not too slow.
  private func isQuick(for pattern: String) -> Bool {
    guard pattern.contains(where: { "*+{".contains($0) }) else { return true }
    let named = Set(pattern.unicodeScalars.filter { $0.properties.isAlphabetic || $0.value < 0x80 }).sorted().prefix(64)
    let kinds = ["a", "A", "0", " ", ".", "\n", "\t", "é", "日", "\u{301}", "aA", " a", "a0"]
    let runs = Set(named.map(String.init) + kinds)
    let start = ContinuousClock.now
    var count = 8
    while count <= 1 << 12 {
      for run in runs {
        let text = String(repeating: run, count: count) + (run == "!" ? "a" : "!")
        _ = expression.numberOfMatches(in: text, range: NSRange(location: 0, length: text.utf16.count))
        if ContinuousClock.now - start > Self.patience { return false }
      }
      count = count < 40 ? count + 2 : count * 2
    }
    return true
  }
}
