/// Splits words at the matches of a pattern.
struct Splitter: Sendable {
  /// What happens to the matches.
  ///
  /// The raw values are the names in tokenizer.json.
  enum Behaviour: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case withPrevious = "MergedWithPrevious"
    case withNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  private struct Piece {
    var range: Range<Int>
    var isMatch: Bool
  }

  var pattern: Pattern
  var behaviour = Behaviour.isolated
  /// Whether the parts between the matches are treated as the matches.
  var isInverted = false

  /// The parts of `words` in order, without empty ones.
  func split<E>(
    _ text: [UInt8], _ words: [Range<Int>], _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for (word, matches) in zip(words, try pattern.matches(in: text, ranges: words, checkpoint)) {
      result += apply(pieces(word, matches)).filter { !$0.isEmpty }
    }
    return result
  }

  /// The matches and the parts between them.
  private func pieces(_ word: Range<Int>, _ matches: [Range<Int>]) -> [Piece] {
    var result: [Piece] = []
    result.reserveCapacity(matches.count)
    var end = word.lowerBound
    for match in matches {
      if match.lowerBound > end {
        result.append(Piece(range: end..<match.lowerBound, isMatch: isInverted))
      }
      result.append(Piece(range: match, isMatch: !isInverted))
      end = match.upperBound
    }
    if end < word.upperBound {
      result.append(Piece(range: end..<word.upperBound, isMatch: isInverted))
    }
    return result
  }

  private func apply(_ pieces: [Piece]) -> [Range<Int>] {
    switch behaviour {
    case .isolated: pieces.map(\.range)
    case .removed: pieces.filter { !$0.isMatch }.map(\.range)
    case .contiguous: Self.joined(pieces) { $0.isMatch == $1 }
    case .withPrevious: Self.joined(pieces) { $0.isMatch && !$1 }
    case .withNext: Self.joined(pieces.reversed()) { $0.isMatch && !$1 }.reversed()
    }
  }

  /// Joins pieces with the preceding piece.
  /// - Parameter belongs: whether to join a piece, given whether the preceding one is a match
  ///   (false for the first piece).
  private static func joined(_ pieces: [Piece], _ belongs: (Piece, Bool) -> Bool) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var wasMatch = false
    for piece in pieces {
      if belongs(piece, wasMatch), let last = result.popLast() {
        let lower = min(last.lowerBound, piece.range.lowerBound)
        result.append(lower..<max(last.upperBound, piece.range.upperBound))
      } else {
        result.append(piece.range)
      }
      wasMatch = piece.isMatch
    }
    return result
  }
}
