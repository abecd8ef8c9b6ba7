import Foundation

/// How a text is cut into words before byte-pair encoding: expressions that are applied one after another, each to the
/// pieces of the one before. The last step writes bytes in the byte alphabet.
struct Pretokenizer: Sendable {
  /// GPT-2's own expression, which `ByteLevel` uses where it is not told otherwise.
  static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  private let expressions: [NSRegularExpression]
  private let addsSpace: Bool

  init(_ patterns: [String], addsSpace: Bool = false, subject: String) throws {
    do {
      expressions = try patterns.map { try NSRegularExpression(pattern: $0) }
    } catch {
      throw VerifyError(subject, "a pre-tokenizer's regular expression is not understood: \(error)")
    }
    self.addsSpace = addsSpace
  }

  /// The words, in the byte alphabet.
  func split(_ text: String) -> [String] {
    guard !text.isEmpty else { return [] }
    var pieces = [addsSpace && !text.hasPrefix(" ") ? " " + text : text]
    for expression in expressions { pieces = pieces.flatMap { Self.isolate($0, expression) } }
    return pieces.map { ByteAlphabet.text(of: $0.utf8) }
  }

  /// The matches and what stands between them, in order.
  private static func isolate(_ text: String, _ expression: NSRegularExpression) -> [String] {
    let whole = text as NSString
    var result: [String] = []
    var end = 0
    for match in expression.matches(in: text, range: NSRange(location: 0, length: whole.length)) {
      guard match.range.length > 0 else { continue }
      if match.range.location > end {
        result.append(whole.substring(with: NSRange(location: end, length: match.range.location - end)))
      }
      result.append(whole.substring(with: match.range))
      end = match.range.location + match.range.length
    }
    if end < whole.length { result.append(whole.substring(from: end)) }
    return result
  }
}
