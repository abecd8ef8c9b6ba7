/// Bytes as the key of a dictionary.
///
/// Strings cannot be used: Swift treats equivalent strings as equal, such as é as one character and
/// as two, but vocabularies have a token for each.
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

/// The first byte of a character in UTF-8.
enum UTF8Lead {
  /// The number of bytes in the character.
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
  /// The character that begins at `place` in valid UTF-8.
  func character(at place: Int) -> ArraySlice<UInt8> {
    self[place..<Swift.min(place + UTF8Lead.count(self[place]), endIndex)]
  }
}
