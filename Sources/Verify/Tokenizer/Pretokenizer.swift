/// How a text is cut into words that are then turned into tokens one by one.
struct Pretokenizer: Sendable {
  enum Step: Sendable {
    case split(Splitter)
    /// Writes word marks for spaces, and one at the beginning.
    case marks(replacement: [UInt8], prepends: Prepending)
    /// Puts a space before a text that does not begin with one.
    case space
    /// Cuts before every word mark that follows something else.
    case cutBeforeMarks
  }

  enum Prepending: String, Sendable {
    case always, first, never
  }

  /// Where the text stands.
  struct Place {
    /// At the beginning of all the text.
    var isFirst = true
    /// Whether what the tokenizer puts before a text is put before this one.
    var takesPrefix = true
  }

  var steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  /// The text as the steps leave it, and its words, none of them empty.
  func words(of text: [UInt8], _ place: Place) -> (text: [UInt8], words: [Range<Int>]) {
    var text = text
    var words = text.isEmpty ? [] : [0..<text.count]
    for step in steps {
      switch step {
      case .split(let splitter): words = splitter.split(text, words)
      case .marks(let replacement, let prepends):
        let isPrefixed = place.takesPrefix && (prepends == .always || prepends == .first && place.isFirst)
        Self.rewrite(&text, &words) { word in
          let startsMarked = word.first == 0x20 || word.starts(with: replacement)
          return (isPrefixed && !startsMarked ? replacement : []) + Self.marked(word, replacement)
        }
      case .space where place.takesPrefix:
        Self.rewrite(&text, &words) { $0.first == 0x20 ? Array($0) : [0x20] + $0 }
      case .space: break
      case .cutBeforeMarks:
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
