/// The sentences of RULER's needle tasks.
///
/// Source: lm-eval 0.4.13, tasks/ruler; they define the tasks.
public enum NeedleText {
  /// What is hidden, and by what it is found.
  public enum Kind: String, Sendable {
    case numbers, words, uuids

    var singular: String { String(rawValue.dropLast()) }
  }

  /// The haystack that is one text repeated.
  static let filler =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."

  public static func needle(_ kind: Kind = .numbers, key: String, value: String) -> String {
    "One of the special magic \(kind.rawValue) for \(key) is: \(value)."
  }

  /// What stands before the haystack, a new line included.
  public static func introduction(_ kind: Kind = .numbers, isSingle: Bool = true) -> String {
    let name = name(kind, isSingle)
    return (isSingle ? "A special magic \(name) is" : "Some special magic \(name) are")
      + " hidden within the following text. Make sure to memorize it. I will quiz you about the \(name) afterwards.\n"
  }

  /// What stands after the haystack, a new line included.
  public static func question(_ kind: Kind = .numbers, query: String, isSingle: Bool = true) -> String {
    "\nWhat \(isSingle ? "is" : "are all") the special magic \(name(kind, isSingle)) for \(query) mentioned in the provided text?"
  }

  /// How the answer begins, after a space.
  public static func generationPrefix(_ kind: Kind = .numbers, query: String, isSingle: Bool = true) -> String {
    "The special magic \(name(kind, isSingle)) for \(query) mentioned in the provided text \(isSingle ? "is" : "are")"
  }

  private static func name(_ kind: Kind, _ isSingle: Bool) -> String {
    isSingle ? kind.singular : kind.rawValue
  }
}
