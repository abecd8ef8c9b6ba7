import Models

/// Converts a word to tokens.
protocol WordModel: Sendable {
  /// - Parameter checkpoint: called between pieces of work, since a word may be as long as a file.
  func encode<E>(_ word: ArraySlice<UInt8>, _ checkpoint: () throws(E) -> Void) throws(E) -> [Int]
}

/// Byte-pair encoding as in the tokenizers library, which merges pairs in the order of a list.
struct RankedMerges: WordModel {
  struct Options: Sendable {
    /// Whether words are first written in the byte alphabet.
    var isByteLevel = false
    /// Whether a word in the vocabulary becomes that token, even if the merges give other tokens.
    var ignoresMerges = false
    /// Whether a character without a token becomes the tokens of its bytes.
    var hasByteFallback = false
    /// The token for characters without a token; nil to leave them out.
    var unknown: Int?
    /// Whether consecutive unknown characters become one token.
    var fusesUnknown = false
    /// Whether the last of several equal pairs counts, rather than the first.
    var lastPairCounts = false
  }

  private struct Pair: Hashable, Sendable {
    var left: Int
    var right: Int
  }

  private let vocabulary: Vocabulary
  private let options: Options
  private let byteTokens: [Int?]
  private var merges: [Pair: Merge] = [:]

  init(
    _ pairs: [(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)], _ vocabulary: Vocabulary,
    _ options: Options, subject: String
  ) throws {
    self.vocabulary = vocabulary
    self.options = options
    byteTokens = options.hasByteFallback ? vocabulary.byteTokens() : []
    merges.reserveCapacity(pairs.count)
    for (rank, (left, right)) in pairs.enumerated() {
      guard let leftID = vocabulary[left], let rightID = vocabulary[right],
        let id = vocabulary[left + right]
      else {
        let text = String(decoding: left + [0x20] + right, as: UTF8.self)
        throw ModelError.unsupported(
          subject, "the merge '\(text)' contains a token that is not in the vocabulary")
      }
      let pair = Pair(left: leftID, right: rightID)
      if options.lastPairCounts || merges[pair] == nil {
        merges[pair] = Merge(priority: Double(rank), id: id)
      }
    }
  }

  func encode<E>(_ word: ArraySlice<UInt8>, _ checkpoint: () throws(E) -> Void) throws(E) -> [Int] {
    let text = options.isByteLevel ? ByteAlphabet.text(of: word)[...] : word
    if options.ignoresMerges, let whole = vocabulary[text] { return [whole] }
    var chain = SymbolChain(symbols(of: text))
    return try chain.merged(checkpoint) { left, right in
      guard let left = left.id, let right = right.id else { return nil }
      return merges[Pair(left: left, right: right)]
    }.compactMap(\.id)
  }

  private func symbols(of text: ArraySlice<UInt8>) -> [Symbol] {
    var result: [Symbol] = []
    // Unknown characters that are not yet in the result.
    var unknown: Symbol?
    var place = text.startIndex
    while place < text.endIndex {
      let character = text.character(at: place)
      place = character.endIndex
      if let id = vocabulary[character] {
        if let held = unknown.take() { result.append(held) }
        result.append(Symbol(id: id, start: character.startIndex, count: character.count))
      } else if let bytes = fallback(character) {
        result += bytes
      } else if let id = options.unknown {
        if options.fusesUnknown, unknown != nil {
          unknown?.count += character.count
        } else {
          if let held = unknown { result.append(held) }
          unknown = Symbol(id: id, start: character.startIndex, count: character.count)
        }
      }
    }
    if let held = unknown { result.append(held) }
    return result
  }

  /// The tokens of a character's bytes, or nil if a byte has no token.
  private func fallback(_ character: ArraySlice<UInt8>) -> [Symbol]? {
    guard options.hasByteFallback else { return nil }
    var result: [Symbol] = []
    for place in character.indices {
      guard let id = byteTokens[Int(character[place])] else { return nil }
      result.append(Symbol(id: id, start: place, count: 1))
    }
    return result
  }
}
