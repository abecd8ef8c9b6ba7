/// The tokens: their texts by id, and the ids of those that a model may find by their text.
struct Vocabulary: Sendable {
  /// Empty where an id has no token.
  let pieces: [[UInt8]]
  private let ids: [ByteKey: Int]

  /// - Parameter added: ids that only the added tokens' search finds.
  init(pieces: [[UInt8]], except added: Set<Int> = []) {
    self.pieces = pieces
    var ids: [ByteKey: Int] = [:]
    ids.reserveCapacity(pieces.count)
    for (id, piece) in pieces.enumerated() where !piece.isEmpty && !added.contains(id) {
      let key = ByteKey(piece)
      if ids[key] == nil { ids[key] = id }
    }
    self.ids = ids
  }

  subscript(_ text: ArraySlice<UInt8>) -> Int? { ids[ByteKey(text)] }

  subscript(_ text: String) -> Int? { ids[ByteKey(text)] }

  /// The tokens <0x00> to <0xFF>, which stand for bytes of characters that have no token.
  func byteTokens() -> [Int?] {
    (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return self["<0x\(digits.count < 2 ? "0" : "")\(digits)>"]
    }
  }

  /// True where no token has a word mark after something else, so that nothing merges over such a place.
  var cutsBeforeMarks: Bool {
    let mark = ArraySlice(WordMark.bytes)
    guard ids[ByteKey(mark)] != nil else { return false }
    return ids.keys.allSatisfy { WordMark.cuts($0.bytes).isEmpty }
  }
}

/// U+2581, which SentencePiece writes for a space.
enum WordMark {
  static let text = "\u{2581}"
  static let bytes = Array(text.utf8)

  /// The places where a mark follows something else.
  static func cuts(_ text: ArraySlice<UInt8>) -> [Int] {
    var result: [Int] = []
    // The end of the last mark, so that marks in a row stay together.
    var end = text.startIndex
    var place = text.startIndex
    while place + bytes.count <= text.endIndex {
      guard text[place] == bytes[0], text[place + 1] == bytes[1], text[place + 2] == bytes[2] else {
        place += 1
        continue
      }
      if place > end { result.append(place) }
      place += bytes.count
      end = place
    }
    return result
  }
}
