/// A token that is matched in the text before it is split into words.
struct AddedToken: Sendable {
  var text: [UInt8]
  var id: Int
  /// Whether the token absorbs the whitespace before it.
  var stripsLeft = false
  /// Whether the token absorbs the whitespace after it.
  var stripsRight = false
  /// Whether the token is only matched if no letter, digit or underscore is next to it.
  var isWord = false
  /// Whether the token is matched in the normalized text.
  var isNormalized = false
}

/// Finds added tokens as the tokenizers library does: the leftmost match, and the longest one
/// there.
struct AddedTokens: Sendable {
  enum Part: Equatable {
    case token(Int)
    case text(Range<Int>)
  }

  /// The largest number of bytes in a token.
  ///
  /// It limits the time, which is proportional to the length of the text times the length of the
  /// longest token.
  static let longest = 1024

  private let tokens: [AddedToken]
  private let isFirst: [Bool]
  /// The edges of a trie: a node and a byte lead to the next node.
  private var edges: [Int: Int] = [:]
  /// The tokens that end at a node.
  private var ends: [Int: Int] = [:]

  init(_ tokens: [AddedToken]) {
    self.tokens = tokens
    var isFirst = [Bool](repeating: false, count: 256)
    var count = 1
    for (index, token) in tokens.enumerated() {
      guard let first = token.text.first else { continue }
      isFirst[Int(first)] = true
      var node = 0
      for byte in token.text {
        let edge = node << 8 | Int(byte)
        if edges[edge] == nil {
          edges[edge] = count
          count += 1
        }
        node = edges[edge] ?? 0
      }
      if ends[node] == nil { ends[node] = index }
    }
    self.isFirst = isFirst
  }

  /// The tokens in a text and the parts between them, in order.
  ///
  /// No part is empty.
  func parts<E>(of text: [UInt8], _ checkpoint: () throws(E) -> Void) throws(E) -> [Part] {
    if tokens.isEmpty { return text.isEmpty ? [] : [.text(0..<text.count)] }
    var result: [Part] = []
    // The beginning of the part that is not yet in the result.
    var start = 0
    // The position at which the search continues.
    var place = 0
    while place < text.count {
      if place & 0xFFF == 0xFFF { try checkpoint() }
      guard isFirst[Int(text[place])], let (token, end) = match(text, at: place) else {
        place += 1
        continue
      }
      defer { place = end }
      if token.isWord && touchesWord(text, place, end) { continue }
      let from = token.stripsLeft ? max(start, Whitespace.start(before: place, in: text)) : place
      if from > start { result.append(.text(start..<from)) }
      result.append(.token(token.id))
      start = token.stripsRight ? Whitespace.end(after: end, in: text) : end
    }
    if start < text.count { result.append(.text(start..<text.count)) }
    return result
  }

  private func match(_ text: [UInt8], at start: Int) -> (AddedToken, Int)? {
    var best: (AddedToken, Int)?
    var node = 0
    var place = start
    while place < text.count, let next = edges[node << 8 | Int(text[place])] {
      node = next
      place += 1
      if let index = ends[node] { best = (tokens[index], place) }
    }
    return best
  }

  private func touchesWord(_ text: [UInt8], _ start: Int, _ end: Int) -> Bool {
    let before = text.scalar(before: start).map(\.isWordCharacter) ?? false
    let after = text.scalar(at: end).map(\.isWordCharacter) ?? false
    return before || after
  }
}
