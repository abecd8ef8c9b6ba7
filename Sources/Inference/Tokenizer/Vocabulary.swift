/// The texts of all tokens by id, and the ids by text of the tokens that a model may use.
struct Vocabulary: Sendable {
  /// The text of each token; empty for an id without a token.
  let pieces: [[UInt8]]
  private let ids: [ByteKey: Int]

  /// - Parameter added: ids that are only matched as added tokens.
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

  /// The tokens <0x00> to <0xFF>, which stand for the bytes of characters without a token.
  func byteTokens() -> [Int?] {
    (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return self["<0x\(digits.count < 2 ? "0" : "")\(digits)>"]
    }
  }

  /// Whether words can be split before marks: no token contains a word mark after another
  /// character, so nothing merges across such a position.
  var splitsBeforeMarks: Bool {
    let mark = ArraySlice(WordMark.bytes)
    guard ids[ByteKey(mark)] != nil else { return false }
    return ids.keys.allSatisfy { WordMark.cuts($0.bytes).isEmpty }
  }
}

/// U+2581, with which SentencePiece replaces spaces.
enum WordMark {
  static let text = "\u{2581}"
  static let bytes = Array(text.utf8)

  /// The positions at which a mark follows another character.
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
