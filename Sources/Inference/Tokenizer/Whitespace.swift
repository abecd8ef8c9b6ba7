/// Unicode whitespace in UTF-8.
enum Whitespace {
  /// The beginning of the whitespace that ends at `place`.
  static func start(before place: Int, in text: [UInt8]) -> Int {
    var place = place
    while let scalar = text.scalar(before: place), scalar.properties.isWhitespace {
      place -= UTF8.width(scalar)
    }
    return place
  }

  /// The end of the whitespace that begins at `place`.
  static func end(after place: Int, in text: [UInt8]) -> Int {
    var place = place
    while let scalar = text.scalar(at: place), scalar.properties.isWhitespace {
      place += UTF8.width(scalar)
    }
    return place
  }
}

extension [UInt8] {
  /// The character that begins at `place` in valid UTF-8, or nil at the end.
  func scalar(at place: Int) -> Unicode.Scalar? {
    guard place < count else { return nil }
    return String(decoding: self[...].character(at: place), as: UTF8.self).unicodeScalars.first
  }

  /// The character that ends at `place`, or nil at the beginning.
  func scalar(before place: Int) -> Unicode.Scalar? {
    guard place > 0 else { return nil }
    let start = self[..<place].lastIndex { $0 & 0xC0 != 0x80 } ?? 0
    return scalar(at: start)
  }
}

extension Unicode.Scalar {
  /// Whether the character matches \w in regular expressions.
  var isWordCharacter: Bool {
    if properties.isAlphabetic || properties.isJoinControl { return true }
    return switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    default: false
    }
  }
}
