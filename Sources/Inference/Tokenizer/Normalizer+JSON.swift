import Formats
import Models

extension Normalizer {
  /// Reads a normalizer; nil if there is none.
  /// - Parameter value: the `normalizer` of a tokenizer.json.
  static func read(_ value: JSONValue, subject: String) throws -> Normalizer? {
    if value.isNull { return nil }
    let normalizer = try Normalizer(value, subject: subject)
    try TokenizerLimits.check(steps: normalizer.stepCount, "normalizer", subject)
    try TokenizerLimits.check(growth: normalizer.growth, "normalizer", subject)
    return normalizer
  }

  private init(_ value: JSONValue, subject: String) throws {
    let type = value["type"]?.text ?? "none"
    switch type {
    case "Sequence":
      let steps = value["normalizers"]?.elements ?? []
      self = .sequence(try steps.map { try Normalizer($0, subject: subject) })
    case "Prepend":
      let prefix = Array((value["prepend"]?.text ?? "").utf8)
      try TokenizerLimits.check(prefix: prefix, "normalizer Prepend", subject)
      self = .prepend(prefix)
    case "Replace":
      guard let pattern = value["pattern"], let content = value["content"]?.text else {
        throw ModelError.unsupported(subject, "a normalizer 'Replace' has no pattern or no content")
      }
      self = .replace(try Pattern(pattern, subject: subject), Array(content.utf8))
    case "NFC", "NFD", "NFKC", "NFKD":
      self = UnicodeForm(rawValue: type).map { .form($0) } ?? .sequence([])
    case "Lowercase": self = .lowercase
    case "StripAccents": self = .stripAccents
    case "Strip":
      self = .strip(
        left: value["strip_left"]?.flag ?? true, right: value["strip_right"]?.flag ?? true)
    default: throw ModelError.unsupported(subject, "the normalizer '\(type)' is not supported")
    }
  }
}

extension Pattern {
  /// Reads a pattern.
  /// - Parameter value: a pattern in a tokenizer.json: a `String` or a `Regex`.
  init(_ value: JSONValue, subject: String) throws {
    if let text = value["String"]?.text {
      self = .text(Array(text.utf8))
    } else if let text = value["Regex"]?.text {
      self = .expression(try Expression(text, subject: subject))
    } else {
      throw ModelError.unsupported(subject, "a pattern is neither a 'String' nor a 'Regex'")
    }
  }
}
