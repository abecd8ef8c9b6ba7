/// The sentences of RULER's needle tasks.
///
/// Source: lm-eval 0.4.13, tasks/ruler; they define the tasks.
public enum NeedleText {
  /// The kinds of keys and values.
  public enum Kind: String, Sendable {
    case numbers, words, uuids

    var singular: String { String(rawValue.dropLast()) }
  }

  /// The text that is repeated for a haystack of filler.
  static let filler =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."

  /// The sentence that hides a value under a key.
  public static func needle(_ kind: Kind = .numbers, key: String, value: String) -> String {
    "One of the special magic \(kind.rawValue) for \(key) is: \(value)."
  }

  /// The text before the haystack, with a line end.
  public static func introduction(_ kind: Kind = .numbers, isSingle: Bool = true) -> String {
    let name = name(kind, isSingle)
    return (isSingle ? "A special magic \(name) is" : "Some special magic \(name) are")
      + " hidden within the following text. Make sure to memorize it. I will quiz you about the \(name) afterwards.\n"
  }

  /// The text after the haystack, with a line end.
  public static func question(_ kind: Kind = .numbers, query: String, isSingle: Bool = true)
    -> String
  {
    "\nWhat \(isSingle ? "is" : "are all") the special magic \(name(kind, isSingle)) for \(query) mentioned in the provided text?"
  }

  /// The beginning of the answer, without the space before it.
  public static func generationPrefix(_ kind: Kind = .numbers, query: String, isSingle: Bool = true)
    -> String
  {
    "The special magic \(name(kind, isSingle)) for \(query) mentioned in the provided text \(isSingle ? "is" : "are")"
  }

  private static func name(_ kind: Kind, _ isSingle: Bool) -> String {
    isSingle ? kind.singular : kind.rawValue
  }
}
