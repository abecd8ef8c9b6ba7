package import Formats
import Models

extension NamedPretokenizer {
  /// The names to choose from.
  ///
  /// If several split texts in the same way, the first is the one that llama.cpp's converter writes
  /// for most models.
  private static let candidates = [
    "llama-bpe", "qwen2", "gpt-2", "smollm", "gpt-4o", "tekken", "smaug-bpe", "qwen35", "minicpm5",
    "default",
  ]

  /// The `tokenizer.ggml.pre` that splits texts like a tokenizer.json.
  ///
  /// The two are compared on a text with all sequences of three kinds of characters.
  /// - Parameters:
  ///   - preTokenizer: the `pre_tokenizer`.
  ///   - ignoresMerges: the `ignore_merges` of the model.
  /// - Throws: `ModelError` if there is none.
  package static func name(
    of preTokenizer: JSONValue, ignoresMerges: Bool, subject: String
  ) throws -> String {
    let (own, isByteLevel) = try Pretokenizer.read(preTokenizer, subject: subject)
    guard isByteLevel else {
      throw ModelError.unsupported(subject, "the pre-tokenizer does not end in 'ByteLevel'")
    }
    let expected = own.words(of: probe, Pretokenizer.Place()) {}
    for name in candidates {
      guard let named = NamedPretokenizer(name), named.ignoresMerges == ignoresMerges else {
        continue
      }
      let found = try named.pretokenizer(subject: subject).words(of: probe, Pretokenizer.Place()) {}
      if found.text == expected.text && found.words == expected.words { return name }
    }
    throw ModelError.unsupported(
      subject,
      "no supported pre-tokenizer of llama.cpp splits texts like this one\(ignoresMerges ? " and ignores merges" : "")"
    )
  }

  /// A pre-tokenizer with the same expressions, without the byte alphabet.
  func pretokenizer(subject: String) throws -> Pretokenizer {
    Pretokenizer(
      try expressions.map {
        .split(Splitter(pattern: .expression(try Expression($0, subject: subject))))
      })
  }

  /// The `pre_tokenizer` of a tokenizer.json that splits texts like llama.cpp does for a name.
  /// - Throws: `ModelError` for a name that is not supported.
  package static func description(
    of name: String, subject: String
  ) throws -> (json: JSONValue, ignoresMerges: Bool) {
    guard let named = NamedPretokenizer(name) else {
      throw ModelError.unsupported(subject, "the pre-tokenizer '\(name)' is not supported")
    }
    let splits = named.expressions.map { expression -> JSONValue in
      .object([
        "type": .string("Split"), "pattern": .object(["Regex": .string(expression)]),
        "behavior": .string("Isolated"), "invert": .bool(false),
      ])
    }
    let last: JSONValue = .object([
      "type": .string("ByteLevel"), "add_prefix_space": .bool(false), "trim_offsets": .bool(true),
      "use_regex": .bool(false),
    ])
    return (
      .object(["type": .string("Sequence"), "pretokenizers": .array(splits + [last])]),
      named.ignoresMerges
    )
  }

  /// One character of each kind that some expression distinguishes.
  private static let kinds: [String] = [
    "a", "s", "B", "\u{1C5}", "\u{2B0}", "\u{4E2D}", "\u{301}", "\u{903}", "1", "\u{967}",
    "\u{2167}", "\u{B2}", " ", "\t", "\n", "\r", "\u{A0}", "\u{3000}", ".", "'", "\u{2019}", "-",
    "_", "/", "$", "+", "~", "\u{1F600}", "\u{200D}",
  ]

  /// All sequences of three kinds, runs of digits, and contractions in both cases.
  private static let probe: [UInt8] = {
    var text = ""
    for first in kinds {
      for second in kinds {
        for third in kinds { text += first + second + third }
      }
    }
    for count in 1...9 {
      text +=
        String(repeating: "7", count: count) + " " + String(repeating: "\u{967}", count: count)
        + "x"
      text +=
        String(repeating: " ", count: count) + "y" + String(repeating: "\n", count: count) + "z"
    }
    for word in ["s", "t", "re", "ve", "m", "ll", "d", "x"] {
      text += "We'\(word) WE'\(word.uppercased()) we'\(word)a '\(word)' HTTPServer iPhone "
    }
    return Array(text.utf8)
  }()
}
