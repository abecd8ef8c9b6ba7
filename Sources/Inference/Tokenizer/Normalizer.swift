import Foundation

/// A change of a text before it is split into words.
enum Normalizer: Sendable {
  case sequence([Normalizer])
  case prepend([UInt8])
  case replace(Pattern, [UInt8])
  case form(UnicodeForm)
  case lowercase
  case strip(left: Bool, right: Bool)
  case stripAccents

  enum UnicodeForm: String, Sendable {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"

    fileprivate func apply(_ text: String) -> [UInt8] {
      switch self {
      case .nfc: Array(text.precomposedStringWithCanonicalMapping.utf8)
      case .nfd: Array(text.decomposedStringWithCanonicalMapping.utf8)
      case .nfkc: Array(text.precomposedStringWithCompatibilityMapping.utf8)
      case .nfkd: Array(text.decomposedStringWithCompatibilityMapping.utf8)
      }
    }
  }

  /// Normalizes a text.
  /// - Parameter addsPrefix: whether the text begins the input or follows an added token.
  func apply<E>(
    _ text: [UInt8], addsPrefix: Bool, _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [UInt8] {
    try checkpoint()
    return switch self {
    case .sequence(let steps): try Self.apply(steps, to: text, addsPrefix, checkpoint)
    case .prepend(let prefix): addsPrefix && !text.isEmpty ? prefix + text : text
    case .replace(let pattern, let content):
      try Self.replace(pattern, with: content, in: text, checkpoint)
    case .form(let form): Self.normalize(text, form)
    case .lowercase: Self.map(text) { $0.properties.lowercaseMapping }
    case .strip(let left, let right): Self.strip(text, left, right)
    case .stripAccents:
      Self.map(text) { Self.marks.contains($0.properties.generalCategory) ? "" : String($0) }
    }
  }

  private static func apply<E>(
    _ steps: [Normalizer], to text: [UInt8], _ addsPrefix: Bool, _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [UInt8] {
    var result = text
    for step in steps { result = try step.apply(result, addsPrefix: addsPrefix, checkpoint) }
    return result
  }

  var stepCount: Int {
    if case .sequence(let steps) = self { steps.reduce(1) { $0 + $1.stepCount } } else { 1 }
  }

  /// The largest factor by which replacements can lengthen a text, cut off just above the limit.
  var growth: Int {
    switch self {
    case .sequence(let steps): steps.reduce(1) { min($0 * $1.growth, TokenizerLimits.growth + 1) }
    case .replace(let pattern, let content): pattern.growth(content)
    default: 1
    }
  }

  private static func replace<E>(
    _ pattern: Pattern, with content: [UInt8], in text: [UInt8], _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var end = 0
    for match in try pattern.matches(in: text, ranges: [0..<text.count], checkpoint)[0] {
      result += text[end..<match.lowerBound]
      result += content
      end = match.upperBound
    }
    return result + text[end...]
  }

  private static let marks: Set<Unicode.GeneralCategory> = [
    .nonspacingMark, .spacingMark, .enclosingMark,
  ]

  private static func normalize(_ text: [UInt8], _ form: UnicodeForm) -> [UInt8] {
    // ASCII is already normalized.
    if text.allSatisfy({ $0 < 0x80 }) { return text }
    var result: [UInt8] = []
    var run = String.UnicodeScalarView()
    // Swift 6.3 composes U+E0067 and U+0302 to ĝ, because it looks at only 17 bits of a character.
    // Characters from U+20000 on never compose, so each one is normalized by itself.
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      if scalar.value < 0x20000 {
        run.append(scalar)
      } else {
        result += form.apply(String(run)) + form.apply(String(scalar))
        run = String.UnicodeScalarView()
      }
    }
    return result + form.apply(String(run))
  }

  private static func map(_ text: [UInt8], _ change: (Unicode.Scalar) -> String) -> [UInt8] {
    String(decoding: text, as: UTF8.self).unicodeScalars.flatMap { Array(change($0).utf8) }
  }

  private static func strip(_ text: [UInt8], _ left: Bool, _ right: Bool) -> [UInt8] {
    let start = left ? Whitespace.end(after: 0, in: text) : 0
    let end = right ? Whitespace.start(before: text.count, in: text) : text.count
    return start < end ? Array(text[start..<end]) : []
  }
}
