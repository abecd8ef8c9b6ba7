import Formats
import Models

/// Converts tokens back to bytes.
struct PieceDecoder: Sendable {
  /// Whether pieces are written in the byte alphabet.
  var isByteLevel = false
  /// Whether pieces such as <0x0A> are bytes.
  var hasByteTokens = false
  /// Replacements in pieces.
  var replacements: [(from: [UInt8], to: [UInt8])] = []
  /// The number of spaces that are removed at the beginning of a text.
  var stripsSpaces = 0
  /// Tokens with a piece that is their text, not an encoded form.
  var verbatim: Set<Int> = []

  /// The bytes of one token.
  func bytes(of piece: [UInt8], _ id: Int) -> [UInt8] {
    if verbatim.contains(id) { return piece }
    if isByteLevel { return ByteAlphabet.bytes(of: piece) }
    if hasByteTokens, let byte = Self.byte(piece) { return [byte] }
    return replacements.reduce(piece) { text, pair in
      let found = Pattern.text(pair.from).matches(in: text, ranges: [0..<text.count]) {}[0]
      return found.reversed().reduce(into: text) { $0.replaceSubrange($1, with: pair.to) }
    }
  }

  /// A decoded text without the spaces that the tokenizer put at its beginning.
  func strip(_ text: [UInt8]) -> [UInt8] {
    let spaces = text.prefix(stripsSpaces).prefix { $0 == 0x20 }
    return Array(text.dropFirst(spaces.count))
  }

  private static func byte(_ piece: [UInt8]) -> UInt8? {
    guard piece.count == 6, piece.starts(with: Array("<0x".utf8)), piece[5] == UInt8(ascii: ">")
    else { return nil }
    return UInt8(String(decoding: piece[3..<5], as: UTF8.self), radix: 16)
  }
}

extension PieceDecoder {
  /// Reads a decoder.
  /// - Parameter value: the `decoder` of a tokenizer.json.
  init(_ value: JSONValue, subject: String) throws {
    let steps = value["type"]?.text == "Sequence" ? value["decoders"]?.elements ?? [] : [value]
    try TokenizerLimits.check(steps: steps.count, "decoder", subject)
    for step in steps where !step.isNull { try add(step, subject) }
    let growth = replacements.reduce(1) {
      min($0 * Pattern.text($1.from).growth($1.to), TokenizerLimits.growth + 1)
    }
    try TokenizerLimits.check(growth: growth, "decoder", subject)
  }

  private mutating func add(_ step: JSONValue, _ subject: String) throws {
    switch step["type"]?.text {
    case "ByteLevel": isByteLevel = true
    case "ByteFallback": hasByteTokens = true
    case "Fuse": break
    case "Metaspace":
      let prepending = try Pretokenizer.prepending(step, subject)
      replacements.append((Array((step["replacement"]?.text ?? WordMark.text).utf8), [0x20]))
      if prepending != .never { stripsSpaces = 1 }
    case "Replace":
      guard let from = step["pattern"]?["String"]?.text, let to = step["content"]?.text else {
        throw ModelError.unsupported(subject, "a decoder 'Replace' has no string or no content")
      }
      replacements.append((Array(from.utf8), Array(to.utf8)))
    case "Strip":
      guard step["content"]?.text == " ", let start = step["start"]?.integer, start >= 0,
        step["stop"]?.integer == 0
      else {
        throw ModelError.unsupported(
          subject, "a decoder 'Strip' does not only strip spaces at the beginning")
      }
      stripsSpaces = start
    case let type:
      throw ModelError.unsupported(subject, "the decoder '\(type ?? "none")' is not supported")
    }
  }
}
