/// Finds where sentences of English prose end, word by word.
///
/// A full stop, question mark or exclamation mark at the end of a word, or before a quote or
/// bracket, ends a sentence. Closing quotes and brackets belong to that sentence. A full stop after
/// an abbreviation or an initial does not end a sentence, unless a capitalised function word
/// follows. Nor does a full stop between a number and a lowercase letter.
///
/// Source: the token-based rules of Kiss and Strunk, Unsupervised multilingual sentence boundary
/// detection, Computational Linguistics 32 (2006). Short lists of words replace the statistics of
/// their trained model.
enum SentenceSplitter {
  private static let marks = Set(".?!".unicodeScalars)
  private static let closers = Set(
    "\"')]}\u{2018}\u{2019}\u{201C}\u{201D}\u{AB}\u{BB}".unicodeScalars)
  /// Scalars that may follow a mark directly, or that end the word before it.
  private static let separators = closers.union("?!;:*@({[".unicodeScalars)
  private static let abbreviations: Set<String> = [
    "mr", "mrs", "ms", "dr", "prof", "messrs", "st", "jr", "sr", "co", "corp", "inc", "ltd", "bros",
    "gen", "col", "lt",
    "adm", "jan", "feb", "aug", "sep", "sept", "oct", "nov", "dec", "vs", "ave", "a.m", "p.m",
    "u.s", "u.k", "u.n",
    "u.s.a", "d.c", "ph.d",
  ]
  private static let starters: Set<String> = [
    "a", "after", "all", "although", "an", "and", "as", "at", "but", "by", "for", "from", "he",
    "his", "how", "however",
    "if", "in", "is", "it", "its", "no", "nor", "not", "now", "of", "on", "one", "or", "our", "she",
    "since", "so",
    "some", "such", "that", "the", "their", "then", "there", "these", "they", "this", "those",
    "though", "thus", "to",
    "was", "we", "were", "what", "when", "where", "which", "while", "who", "why", "with", "yet",
    "you", "your",
  ]

  /// The number of the word's scalars that belong to the sentence it ends; nil if the sentence
  /// continues.
  /// - Parameter next: the next word; nil at the end of the text, where only a mark before a quote
  ///   or bracket counts.
  static func end(in word: String, before next: String?) -> Int? {
    guard word.unicodeScalars.contains(where: marks.contains) else { return nil }
    let scalars = Array(word.unicodeScalars)
    let mark = scalars.indices.last { index in
      guard marks.contains(scalars[index]) else { return false }
      return index + 1 < scalars.count ? separators.contains(scalars[index + 1]) : next != nil
    }
    guard let mark else { return nil }
    let follower = mark + 1 < scalars.count ? String(scalars[mark + 1]) : next ?? ""
    guard scalars[mark] != "." || isEnd(token(scalars[..<mark]), before: follower) else {
      return nil
    }
    return withClosers(scalars, from: mark + 1)
  }

  /// The letters before a full stop, back to a separator or a dash.
  private static func token(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    let start = scalars.indices.last { index in
      let isDash = scalars[index] == "-" && index > scalars.startIndex && scalars[index - 1] == "-"
      return isDash || separators.contains(scalars[index])
    }
    return scalars[(start.map { $0 + 1 } ?? scalars.startIndex)...].reduce(into: "") {
      $0.unicodeScalars.append($1)
    }
  }

  private static func isEnd(_ token: String, before follower: String) -> Bool {
    let first = follower.unicodeScalars.first
    let isSmall = first?.properties.isLowercase ?? false
    let isStarter = !isSmall && starters.contains(firstWord(follower))
    let letters = token.lowercased()
    if token.hasSuffix(".") || isAbbreviation(letters) { return isStarter }
    if token.count == 1, token.first?.isLetter ?? false {
      return !isSmall && (isStarter || !(first?.properties.isUppercase ?? false))
    }
    return !(isSmall && isNumber(token))
  }

  private static func isAbbreviation(_ letters: String) -> Bool {
    let last = letters.split(separator: "-").last.map { String($0) } ?? ""
    return abbreviations.contains(letters) || abbreviations.contains(last)
  }

  private static func isNumber(_ token: String) -> Bool {
    token.first?.isNumber ?? false && token.allSatisfy { $0.isNumber || ".,-".contains($0) }
  }

  private static func firstWord(_ text: String) -> String {
    text.prefix { $0.isLetter }.lowercased()
  }

  /// The index after the closing quotes and brackets at `start`, if the word ends after them or a
  /// dash follows; otherwise `start`.
  private static func withClosers(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
    let end = scalars[start...].firstIndex { !closers.contains($0) } ?? scalars.count
    return end == scalars.count || scalars[end...].starts(with: "--".unicodeScalars) ? end : start
  }
}
