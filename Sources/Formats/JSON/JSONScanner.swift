/// Finds the byte ranges of all values in a JSON text.
///
/// The grammar is strict RFC 8259, nested at most `maximumDepth` deep, and the numbers `NaN`,
/// `Infinity` and `-Infinity`, which Python writes. json-c checks the contents of strings. This scanner finds extents, duplicate keys and number text, which json-c loses.
struct JSONScanner {
  static let maximumDepth = 64

  let text: [UInt8]
  private var position: Int

  init(_ text: [UInt8], from start: Int) {
    self.text = text
    position = start
  }

  /// Scans the text's only value.
  ///
  /// Anything after it except white space is refused.
  mutating func scanDocument() throws(FormatError) -> JSONNode {
    let root = try scanValue(depth: 0)
    skipWhitespace()
    guard position == text.count else { throw unexpected("the end") }
    return root
  }

  private mutating func scanValue(depth: Int) throws(FormatError) -> JSONNode {
    guard depth < Self.maximumDepth else {
      throw FormatError(.nestedTooDeep(limit: Self.maximumDepth), at: position)
    }
    skipWhitespace()
    let start = position
    switch peek {
    case UInt8(ascii: "{"): return try scanObject(depth: depth)
    case UInt8(ascii: "["): return try scanArray(depth: depth)
    case UInt8(ascii: "\""): return JSONNode(kind: .string, range: try scanString())
    case UInt8(ascii: "t"): try scanWord("true")
    case UInt8(ascii: "f"): try scanWord("false")
    case UInt8(ascii: "n"): try scanWord("null")
    case UInt8(ascii: "N"):
      try scanWord("NaN")
      return JSONNode(kind: .number, range: start..<position)
    default:
      try scanNumber()
      return JSONNode(kind: .number, range: start..<position)
    }
    return JSONNode(kind: .word, range: start..<position)
  }

  private mutating func scanObject(depth: Int) throws(FormatError) -> JSONNode {
    let start = position
    position += 1
    var members: [JSONNode.Member] = []
    // Compared by bytes, because canonically equivalent strings are different names.
    var names: Set<[UInt8]> = []
    skipWhitespace()
    if accept("}") { return JSONNode(kind: .object([]), range: start..<position) }
    repeat {
      skipWhitespace()
      let nameRange = try scanString()
      let name = try JSONText.decodeString(text, nameRange)
      guard names.insert(Array(name.utf8)).inserted else {
        throw FormatError(.duplicateKey, at: nameRange.lowerBound, .key(name))
      }
      skipWhitespace()
      guard accept(":") else { throw unexpected("':'") }
      let value = try scanValue(depth: depth + 1)
      members.append(.init(name: name, start: nameRange.lowerBound, value: value))
      skipWhitespace()
    } while accept(",")
    guard accept("}") else { throw unexpected("',' or '}'") }
    return JSONNode(kind: .object(members), range: start..<position)
  }

  private mutating func scanArray(depth: Int) throws(FormatError) -> JSONNode {
    let start = position
    position += 1
    var elements: [JSONNode] = []
    skipWhitespace()
    if accept("]") { return JSONNode(kind: .array([]), range: start..<position) }
    repeat {
      elements.append(try scanValue(depth: depth + 1))
      skipWhitespace()
    } while accept(",")
    guard accept("]") else { throw unexpected("',' or ']'") }
    return JSONNode(kind: .array(elements), range: start..<position)
  }

  /// Scans a string and returns its range, with the quotes.
  private mutating func scanString() throws(FormatError) -> Range<Int> {
    let start = position
    guard accept("\"") else { throw unexpected("a string") }
    while let byte = peek {
      guard byte >= 0x20 else { throw unexpected("an escape instead of a control character") }
      position += 1
      if byte == UInt8(ascii: "\"") { return start..<position }
      if byte == UInt8(ascii: "\\") { position += 1 }
    }
    throw unexpected("'\"'")
  }

  private mutating func scanNumber() throws(FormatError) {
    _ = accept("-")
    if peek == UInt8(ascii: "I") { return try scanWord("Infinity") }
    if !accept("0") { try scanDigits() }
    if accept(".") { try scanDigits() }
    guard accept("e") || accept("E") else { return }
    if !accept("+") { _ = accept("-") }
    try scanDigits()
  }

  private mutating func scanDigits() throws(FormatError) {
    let start = position
    while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
    guard position > start else { throw unexpected(start == 0 ? "a value" : "a value or a digit") }
  }

  private mutating func scanWord(_ word: StaticString) throws(FormatError) {
    for byte in word.description.utf8 {
      guard peek == byte else { throw unexpected("'\(word)'") }
      position += 1
    }
  }

  private mutating func skipWhitespace() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private func unexpected(_ expected: String) -> FormatError {
    guard position < text.count else {
      return FormatError(.invalidJSON("the text ends where \(expected) is expected"), at: position)
    }
    let found = String(decoding: [text[position]], as: UTF8.self).sanitized
    return FormatError(.invalidJSON("'\(found)' where \(expected) is expected"), at: position)
  }
}

/// A value's place in a JSON text.
struct JSONNode: Equatable, Sendable {
  struct Member: Equatable, Sendable {
    var name: String
    /// The offset of the name's opening quote.
    var start: Int
    var value: JSONNode
  }

  indirect enum Kind: Equatable, Sendable {
    case object([Member])
    case array([JSONNode])
    case string, number, word
  }

  var kind: Kind
  var range: Range<Int>
}
