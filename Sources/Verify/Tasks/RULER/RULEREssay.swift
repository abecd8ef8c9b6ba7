/// The text from which haystacks are cut, as words and sentences.
///
/// RULER uses Paul Graham's essays, which are not free. Any text will do, and a result must name
/// it. lm-eval divides each prompt into sentences separately. Here the text is divided once,
/// wherever a prompt ends.
public struct RULEREssay: Sendable {
  /// The name that results give.
  public let name: String
  let words: [String]
  /// For each word, the number of its scalars that belong to the sentence it ends; nil if no
  /// sentence ends.
  ///
  /// The rest of the word begins the next sentence.
  private let ends: [Int?]
  /// The same for a word that is the last of a prompt's essay.
  private let lastEnds: [Int?]

  /// Divides a text with `SentenceSplitter`, without white space at its ends.
  public init(_ text: String, name: String) {
    let words = text.wordsByWhiteSpace
    self.name = name
    self.words = words
    ends = words.indices.map { index in
      SentenceSplitter.end(
        in: words[index], before: index + 1 < words.count ? words[index + 1] : nil)
    }
    lastEnds = words.map { SentenceSplitter.end(in: $0, before: nil) }
  }

  /// Takes a text that is divided into sentences already.
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
  /// The words between white space, as Python's `\s` defines it.
  fileprivate var wordsByWhiteSpace: [String] {
    unicodeScalars.split(whereSeparator: \.isPythonSpace).map { String($0) }
  }
}
