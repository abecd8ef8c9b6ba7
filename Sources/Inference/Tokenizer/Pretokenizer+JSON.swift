import Formats
import Models

extension Pretokenizer {
  /// Reads a pre-tokenizer.
  /// - Parameter value: the `pre_tokenizer` of a tokenizer.json.
  /// - Returns: the steps, and whether the last one writes bytes in the byte alphabet.
  static func read(
    _ value: JSONValue, subject: String
  ) throws -> (Pretokenizer, isByteLevel: Bool) {
    let parts = flattened(value)
    try TokenizerLimits.check(steps: parts.count, "pre-tokenizer", subject)
    if let place = parts.firstIndex(where: { $0["type"]?.text == "ByteLevel" }),
      place != parts.count - 1
    {
      throw ModelError.unsupported(
        subject, "the pre-tokenizer 'ByteLevel' is only supported as the last step")
    }
    let steps = try parts.flatMap { try Self.steps($0, subject) }
    return (Pretokenizer(steps), parts.last?["type"]?.text == "ByteLevel")
  }

  private static func flattened(_ value: JSONValue) -> [JSONValue] {
    if value.isNull { return [] }
    return value["type"]?.text == "Sequence"
      ? (value["pretokenizers"]?.elements ?? []).flatMap(flattened) : [value]
  }

  private static func steps(_ value: JSONValue, _ subject: String) throws -> [Step] {
    func split(
      _ expression: String, _ behaviour: Splitter.Behaviour, inverted: Bool = false
    ) throws -> Step {
      .split(
        Splitter(
          pattern: .expression(try Expression(expression, subject: subject)), behaviour: behaviour,
          isInverted: inverted))
    }
    switch value["type"]?.text {
    case "Split":
      guard let pattern = value["pattern"] else {
        throw ModelError.unsupported(subject, "a pre-tokenizer 'Split' has no pattern")
      }
      return [
        .split(
          Splitter(
            pattern: try Pattern(pattern, subject: subject),
            behaviour: try behaviour(value, subject), isInverted: value["invert"]?.flag == true))
      ]
    case "ByteLevel":
      let space = value["add_prefix_space"]?.flag != false ? [Step.space] : []
      return space
        + (value["use_regex"]?.flag != false ? [try split(SplitExpressions.gpt2, .isolated)] : [])
    case "Digits":
      return [
        try split(#"\p{N}"#, value["individual_digits"]?.flag == true ? .isolated : .contiguous)
      ]
    case "Punctuation":
      return [try split(#"[\p{P}!-/:-@\[-`{-~]"#, try behaviour(value, subject))]
    case "Whitespace": return [try split(#"\w+|[^\w\s]+"#, .removed, inverted: true)]
    case "WhitespaceSplit": return [try split(#"\s"#, .removed)]
    case "Metaspace": return try metaspace(value, subject)
    case let type:
      throw ModelError.unsupported(
        subject, "the pre-tokenizer '\(type ?? "none")' is not supported")
    }
  }

  private static func metaspace(_ value: JSONValue, _ subject: String) throws -> [Step] {
    let replacement = Array((value["replacement"]?.text ?? WordMark.text).utf8)
    guard !replacement.isEmpty else {
      throw ModelError.unsupported(subject, "a pre-tokenizer 'Metaspace' has an empty replacement")
    }
    try TokenizerLimits.check(prefix: replacement, "Metaspace replacement", subject)
    let marks = Step.marks(replacement: replacement, prepends: try prepending(value, subject))
    guard value["split"]?.flag != false else { return [marks] }
    return [marks, .split(Splitter(pattern: .text(replacement), behaviour: .withNext))]
  }

  /// When Metaspace puts its mark before a text.
  ///
  /// Older files have `add_prefix_space` instead.
  static func prepending(_ value: JSONValue, _ subject: String) throws -> Prepending {
    guard let name = value["prepend_scheme"]?.text else {
      return value["add_prefix_space"]?.flag == false ? .never : .always
    }
    guard let scheme = Prepending(rawValue: name) else {
      throw ModelError.unsupported(subject, "the prepend_scheme '\(name)' is not supported")
    }
    return scheme
  }

  private static func behaviour(
    _ value: JSONValue, _ subject: String
  ) throws -> Splitter.Behaviour {
    guard let name = value["behavior"]?.text else { return .isolated }
    guard let behaviour = Splitter.Behaviour(rawValue: name) else {
      throw ModelError.unsupported(
        subject, "the behavior '\(name)' of a pre-tokenizer is not supported")
    }
    return behaviour
  }
}
