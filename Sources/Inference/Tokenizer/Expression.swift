import Foundation
import Models

/// A regular expression, matched by ICU.
///
/// Those in tokenizer.json are written for Oniguruma, in which ^ and $ match at every line and only
/// a line feed ends a line.
struct Expression: Sendable {
  /// The largest number of bytes in an expression.
  private static let longest = 1 << 14

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
    let trial = ExpressionTrial.current ?? ExpressionTrial()
    if !SplitExpressions.all.contains(text), !trial.passes(expression) {
      throw ModelError.unsupported(
        subject, "the regular expression '\(text)' takes too long on some texts")
    }
  }

  /// The byte ranges of all matches within each range.
  ///
  /// Matches may be empty.
  func matches<E>(
    in text: [UInt8], ranges: [Range<Int>], _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [[Range<Int>]] {
    let string = String(decoding: text, as: UTF8.self)
    var cursor = UnitCursor(text)
    return try ranges.map { (range) throws(E) in
      cursor.advance(toByte: range.lowerBound)
      let start = cursor.unit
      var ahead = cursor
      ahead.advance(toByte: range.upperBound)
      let units = NSRange(location: start, length: ahead.unit - start)
      return try expression.ranges(in: string, units, checkpoint).map { match in
        cursor.advance(toUnit: match.location)
        let lower = cursor.byte
        cursor.advance(toUnit: match.location + match.length)
        return lower..<cursor.byte
      }
    }
  }
}

extension NSRegularExpression {
  /// The ranges of all matches in a part of a text, in UTF-16 code units.
  /// - Parameter checkpoint: called now and then, also within a match that takes long.
  fileprivate func ranges<E>(
    in text: String, _ part: NSRange, _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [NSRange] {
    var result: [NSRange] = []
    var failure: E?
    search(text, part) { match in
      if let match { result.append(match) }
      guard match == nil || result.count % 4096 == 0 else { return true }
      do throws(E) { try checkpoint() } catch {
        failure = error
        return false
      }
      return true
    }
    if let failure { throw failure }
    return result
  }
}
