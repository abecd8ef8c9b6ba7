/// Turns a word into tokens.
protocol WordModel: Sendable {
  func encode(_ word: ArraySlice<UInt8>) -> [Int]
}

/// Byte-pair encoding as the tokenizers library does it: the pairs that merge, in their order.
struct RankedMerges: WordModel {
  struct Options: Sendable {
    /// Words are written in the byte alphabet first.
    var isByteLevel = false
    /// A word that is a token is that token, whatever the merges make of it.
    var ignoresMerges = false
    var hasByteFallback = false
    /// The token for a character that has none; without one it is left out.
    var unknown: Int?
    /// Several unknown characters in a row are one token.
    var fusesUnknown = false
    /// Of two equal pairs the last one counts.
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
    _ pairs: [(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)], _ vocabulary: Vocabulary, _ options: Options,
    subject: String
  ) throws {
    self.vocabulary = vocabulary
    self.options = options
    byteTokens = options.hasByteFallback ? vocabulary.byteTokens() : []
    merges.reserveCapacity(pairs.count)
    for (rank, (left, right)) in pairs.enumerated() {
      guard let leftID = vocabulary[left], let rightID = vocabulary[right], let id = vocabulary[left + right] else {
        let text = String(decoding: left + [0x20] + right, as: UTF8.self)
        throw VerifyError(subject, "the merge '\(text)' has a token that the vocabulary has not")
      }
      let pair = Pair(left: leftID, right: rightID)
      if options.lastPairCounts || merges[pair] == nil { merges[pair] = Merge(priority: Double(rank), id: id) }
    }
  }

  func encode(_ word: ArraySlice<UInt8>) -> [Int] {
    let text = options.isByteLevel ? ByteAlphabet.text(of: word)[...] : word
    if options.ignoresMerges, let whole = vocabulary[text] { return [whole] }
    var chain = SymbolChain(symbols(of: text))
    return chain.merged { left, right in
      guard let left = left.id, let right = right.id else { return nil }
      return merges[Pair(left: left, right: right)]
    }.compactMap(\.id)
  }

  private func symbols(of text: ArraySlice<UInt8>) -> [Symbol] {
    var result: [Symbol] = []
    // Unknown characters that are not yet among the symbols.
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

  /// The tokens of a character's bytes, where it has one for each.
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
