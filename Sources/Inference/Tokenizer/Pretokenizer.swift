/// Splits a text into words, which become tokens one by one.
struct Pretokenizer: Sendable {
  enum Step: Sendable {
    /// Splits words at the matches of a pattern.
    case split(Splitter)
    /// Replaces spaces by word marks, and puts one at the beginning.
    case marks(replacement: [UInt8], prepends: Prepending)
    /// Puts a space before a text that does not begin with one.
    case space
    /// Splits before every word mark that follows another character.
    case splitBeforeMarks
  }

  /// When a word mark is put before a text: always, only at the beginning of the input, or never.
  enum Prepending: String, Sendable {
    case always, first, never
  }

  /// The position of a text in the input.
  struct Place {
    /// Whether the text begins the input.
    var isFirst = true
    /// Whether the prefix of the tokenizer is put before the text.
    var takesPrefix = true
  }

  var steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  /// The changed text and the ranges of its words.
  ///
  /// No word is empty.
  func words<E>(
    of text: [UInt8], _ place: Place, _ checkpoint: () throws(E) -> Void
  ) throws(E) -> (text: [UInt8], words: [Range<Int>]) {
    var text = text
    var words = text.isEmpty ? [] : [0..<text.count]
    for step in steps {
      try checkpoint()
      switch step {
      case .split(let splitter): words = try splitter.split(text, words, checkpoint)
      case .marks(let replacement, let prepends):
        let isPrefixed =
          place.takesPrefix && (prepends == .always || prepends == .first && place.isFirst)
        Self.rewrite(&text, &words) { word in
          let startsMarked = word.first == 0x20 || word.starts(with: replacement)
          return (isPrefixed && !startsMarked ? replacement : []) + Self.marked(word, replacement)
        }
      case .space where place.takesPrefix:
        Self.rewrite(&text, &words) { $0.first == 0x20 ? Array($0) : [0x20] + $0 }
      case .space: break
      case .splitBeforeMarks:
        words = words.flatMap { word in
          let edges = [word.lowerBound] + WordMark.cuts(text[word]) + [word.upperBound]
          return zip(edges, edges.dropFirst()).map { $0..<$1 }
        }
      }
    }
    return (text, words)
  }

  private static func marked(_ word: ArraySlice<UInt8>, _ replacement: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(word.count)
    for byte in word {
      if byte == 0x20 { result += replacement } else { result.append(byte) }
    }
    return result
  }

  private static func rewrite(
    _ text: inout [UInt8], _ words: inout [Range<Int>], _ change: (ArraySlice<UInt8>) -> [UInt8]
  ) {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + words.count)
    for (index, word) in words.enumerated() {
      let start = result.count
      result += change(text[word])
      words[index] = start..<result.count
    }
    text = result
  }
}
