/// Byte-pair encoding: the pairs that merge, in their order.
struct MergeTable: Sendable {
  private struct Pair: Hashable, Sendable {
    var left: Int
    var right: Int
  }

  private struct Merge: Sendable {
    var rank: Int
    var result: Int
  }

  private var merges: [Pair: Merge] = [:]
  private let ids: [String: Int]

  /// - Parameter pairs: the earlier, the sooner merged.
  init(pairs: [(String, String)], ids: [String: Int], subject: String) throws {
    self.ids = ids
    for (rank, (left, right)) in pairs.enumerated() {
      guard let leftID = ids[left], let rightID = ids[right], let result = ids[left + right] else {
        throw VerifyError(subject, "the merge '\(left) \(right)' makes no token of the vocabulary")
      }
      let pair = Pair(left: leftID, right: rightID)
      if merges[pair] == nil { merges[pair] = Merge(rank: rank, result: result) }
    }
  }

  /// The tokens of one word, in the byte alphabet. A character that no token has is left out.
  func encode(_ word: String) -> [Int] {
    if let whole = ids[word], word.unicodeScalars.count == 1 { return [whole] }
    var symbols = word.unicodeScalars.compactMap { ids[String($0)] }
    while symbols.count > 1 {
      var best: (place: Int, merge: Merge)?
      for place in 0..<symbols.count - 1 {
        guard let merge = merges[Pair(left: symbols[place], right: symbols[place + 1])] else { continue }
        if best.map({ merge.rank < $0.merge.rank }) ?? true { best = (place, merge) }
      }
      guard let best else { break }
      symbols[best.place] = best.merge.result
      symbols.remove(at: best.place + 1)
    }
    return symbols
  }
}
