/// A string or a regular expression to search for.
enum Pattern: Sendable {
  case text([UInt8])
  case expression(Expression)

  /// The matches in each of the ranges, which must be in ascending order.
  ///
  /// A match cannot look beyond its range.
  func matches<E>(
    in text: [UInt8], ranges: [Range<Int>], _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [[Range<Int>]] {
    switch self {
    case .text(let sought): ranges.map { Self.places(of: sought, in: text[$0]) }
    case .expression(let expression):
      try expression.matches(in: text, ranges: ranges, checkpoint)
    }
  }

  /// The largest factor by which a text can grow when the matches are replaced by `content`.
  func growth(_ content: [UInt8]) -> Int {
    let most = TokenizerLimits.growth + 1
    return switch self {
    case .text(let sought):
      min(max(1, (content.count + sought.count - 1) / max(1, sought.count)), most)
    // An expression may match the empty string at every position.
    case .expression: min(content.count + 1, most)
    }
  }

  private static func places(of sought: [UInt8], in text: ArraySlice<UInt8>) -> [Range<Int>] {
    guard let first = sought.first else { return [] }
    var result: [Range<Int>] = []
    var place = text.startIndex
    while place + sought.count <= text.endIndex {
      if text[place] == first, text[place..<place + sought.count].elementsEqual(sought) {
        result.append(place..<place + sought.count)
        place += sought.count
      } else {
        place += 1
      }
    }
    return result
  }
}
