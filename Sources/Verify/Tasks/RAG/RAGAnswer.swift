/// HELMET's score of an answer, `substring_exact_match`: whether it contains one of the references.
enum RAGAnswer {
  /// Whether a text contains one of the references, disregarding case, punctuation, articles and
  /// white space.
  static func contains(_ references: [String], in text: String) -> Bool {
    let text = Array(normalized(text).utf8)
    return references.contains { text.contains(Array(normalized($0).utf8)) }
  }

  /// Whether a passage gives an answer away, and thus does not only distract.
  ///
  /// Yes and no stand everywhere.
  static func isGiven(_ references: [String], by passage: String) -> Bool {
    contains(references.filter { !["yes", "no"].contains(normalized($0)) }, in: passage)
  }

  /// What a model answered: the first line of its output.
  static func firstLine(of output: String) -> String {
    String(output.prefix { !$0.isNewline })
  }

  /// SQuAD's normal form: lower case, without ASCII punctuation and English articles, words separated
  /// by single spaces.
  static func normalized(_ text: String) -> String {
    let letters = text.lowercased().unicodeScalars.filter { !$0.isASCIIPunctuation }
    var (result, word) = (String.UnicodeScalarView(), String.UnicodeScalarView())
    func addWord() {
      result.append(contentsOf: articles.contains(String(word)) ? " ".unicodeScalars : word)
      word = String.UnicodeScalarView()
    }
    for scalar in letters {
      if scalar.isPythonWordCharacter {
        word.append(scalar)
      } else {
        addWord()
        result.append(scalar)
      }
    }
    addWord()
    return result.split(whereSeparator: \.isPythonSpace).map { String($0) }.joined(separator: " ")
  }

  private static let articles: Set = ["a", "an", "the"]
}

extension Unicode.Scalar {
  /// Whether Python's `string.punctuation` has it.
  fileprivate var isASCIIPunctuation: Bool {
    (0x21...0x7E).contains(value) && !isPythonWordCharacter || self == "_"
  }
}
