/// The text that three kinds of haystack are cut from, as words and sentences.
///
/// RULER's own are Paul Graham's essays, which are not free; any text does, and a result must name it. lm-eval divides
/// the words of each prompt anew into sentences; here a division does not depend on where the prompt ends.
public struct RULEREssay: Sendable {
  /// What the result names.
  public let name: String
  let words: [String]
  /// For each word how many of its scalars end a sentence: all of them, or fewer where the rest begins the next. Nil
  /// where none ends.
  private let ends: [Int?]
  /// The same, where the word is the last of a prompt's essay.
  private let lastEnds: [Int?]

  /// Divides `text`, white space at its ends aside, with `SentenceSplitter`.
  public init(_ text: String, name: String) {
    let words = text.wordsByWhiteSpace
    self.name = name
    self.words = words
    ends = words.indices.map { index in
      SentenceSplitter.end(in: words[index], before: index + 1 < words.count ? words[index + 1] : nil)
    }
    lastEnds = words.map { SentenceSplitter.end(in: $0, before: nil) }
  }

  /// Takes over a division into sentences.
  public init(sentences: [String], name: String) {
    let divided = sentences.map(\.wordsByWhiteSpace).filter { !$0.isEmpty }
    self.name = name
    words = divided.flatMap { $0 }
    ends = divided.flatMap { sentence in
      sentence.indices.map { $0 + 1 < sentence.count ? nil : sentence[$0].unicodeScalars.count }
    }
    lastEnds = ends
  }

  /// The sentences of the first `count` words; the last may be cut short.
  func sentences(words count: Int) -> [String] {
    let count = min(count, words.count)
    var sentences: [String] = []
    var pending: [String] = []
    for index in 0..<count {
      guard let end = index == count - 1 ? lastEnds[index] : ends[index] else {
        pending.append(words[index])
        continue
      }
      let scalars = words[index].unicodeScalars
      sentences.append((pending + [String(scalars.prefix(end))]).joined(separator: " "))
      pending = end < scalars.count ? [String(scalars.dropFirst(end))] : []
    }
    return pending.isEmpty ? sentences : sentences + [pending.joined(separator: " ")]
  }
}

extension String {
  /// The words between what Python's `\s` matches.
  fileprivate var wordsByWhiteSpace: [String] {
    unicodeScalars.split { $0.properties.isWhitespace || (0x1C...0x1F).contains($0.value) }.map { String($0) }
  }
}
