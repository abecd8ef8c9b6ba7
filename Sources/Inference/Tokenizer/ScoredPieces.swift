/// SentencePiece's merging as in llama.cpp: of all neighbours that form a token, those with the
/// highest score merge first.
///
/// Characters without a token become the tokens of their bytes.
struct ScoredPieces: WordModel {
  private let vocabulary: Vocabulary
  private let scores: [Float]
  private let byteTokens: [Int?]
  private let unknown: Int?

  /// - Parameter scores: one score per token.
  init(_ vocabulary: Vocabulary, scores: [Float], unknown: Int?) {
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
    // A vocabulary without tokens like <0x0A> has the byte itself as a token.
    byteTokens = vocabulary.byteTokens().enumerated().map { $1 ?? vocabulary[[UInt8($0)]] }
  }

  func encode<E>(_ word: ArraySlice<UInt8>, _ checkpoint: () throws(E) -> Void) throws(E) -> [Int] {
    var symbols: [Symbol] = []
    var place = word.startIndex
    while place < word.endIndex {
      let character = word.character(at: place)
      symbols.append(Symbol(id: vocabulary[character], start: place, count: character.count))
      place = character.endIndex
    }
    var chain = SymbolChain(symbols)
    let merged = try chain.merged(checkpoint) { left, right in
      vocabulary[word[left.start..<right.start + right.count]].map {
        Merge(priority: -Double(scores[$0]), id: $0)
      }
    }
    return merged.flatMap { symbol in
      symbol.id.map { [$0] }
        ?? word[symbol.start..<symbol.start + symbol.count].compactMap {
          byteTokens[Int($0)] ?? unknown
        }
    }
  }
}
