/// Cuts at a pattern's matches.
struct Splitter: Sendable {
  /// What becomes of the matches, named as in tokenizer.json.
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
  /// What is between the matches counts as the matches.
  var isInverted = false

  /// The words within `words`, in order; those that would be empty are left out.
  func split(_ text: [UInt8], _ words: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for (word, matches) in zip(words, pattern.matches(in: text, ranges: words)) {
      result += apply(pieces(word, matches)).filter { !$0.isEmpty }
    }
    return result
  }

  /// The matches and what is between them.
  private func pieces(_ word: Range<Int>, _ matches: [Range<Int>]) -> [Piece] {
    var result: [Piece] = []
    result.reserveCapacity(matches.count)
    var end = word.lowerBound
    for match in matches {
      if match.lowerBound > end { result.append(Piece(range: end..<match.lowerBound, isMatch: isInverted)) }
      result.append(Piece(range: match, isMatch: !isInverted))
      end = match.upperBound
    }
    if end < word.upperBound { result.append(Piece(range: end..<word.upperBound, isMatch: isInverted)) }
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

  /// Pieces that belong to the one before are put to it.
  /// - Parameter belongs: asked with a piece, and whether the one before it is a match (false before the first).
  private static func joined(_ pieces: [Piece], _ belongs: (Piece, Bool) -> Bool) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var wasMatch = false
    for piece in pieces {
      if belongs(piece, wasMatch), let last = result.popLast() {
        result.append(min(last.lowerBound, piece.range.lowerBound)..<max(last.upperBound, piece.range.upperBound))
      } else {
        result.append(piece.range)
      }
      wasMatch = piece.isMatch
    }
    return result
  }
}
