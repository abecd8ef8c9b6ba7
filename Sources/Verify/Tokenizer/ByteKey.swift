/// Bytes as the key of a dictionary. Texts would not do: Swift takes for equal what Unicode holds to be equivalent, such
/// as é in one character and in two, and vocabularies have a token for each.
struct ByteKey: Hashable, Sendable {
  let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  init(_ text: String) { bytes = Array(text.utf8)[...] }

  func hash(into hasher: inout Hasher) {
    var word: UInt64 = 0
    var place = 0
    for byte in bytes {
      word = word << 8 | UInt64(byte)
      place += 1
      if place & 7 == 0 { hasher.combine(word) }
    }
    hasher.combine(word)
    hasher.combine(place)
  }
}

/// What the first byte of a character in UTF-8 says.
enum UTF8Lead {
  /// The bytes of the character.
  static func count(_ byte: UInt8) -> Int {
    switch byte {
    case ..<0xC0: 1
    case ..<0xE0: 2
    case ..<0xF0: 3
    default: 4
    }
  }
}

extension ArraySlice<UInt8> {
  /// The character that begins at `place` of a valid text.
  func character(at place: Int) -> ArraySlice<UInt8> {
    self[place..<Swift.min(place + UTF8Lead.count(self[place]), endIndex)]
  }
}
