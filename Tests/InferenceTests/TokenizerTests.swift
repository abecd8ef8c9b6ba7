import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference

/// Compares tokenizers with the tokenizers library, llama.cpp and Python.
///
/// fixtures/make/make_golden_tokenizers.py writes the expected values.
@Suite("Tokenizers") struct TokenizerTests {
  private static func golden() throws -> JSONValue {
    try JSONDocument(path: Fixture.path("golden/tokenizers.json")).value
  }

  private static func texts(_ value: JSONValue?) -> [String] {
    (value?.elements ?? []).compactMap(\.text)
  }

  /// The bytes of texts, because Swift compares canonically equivalent strings as equal.
  private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  private static func tokenizer(_ name: String) throws -> Tokenizer {
    try Tokenizer(path: Fixture.path("tokenizers/\(name)"))
  }

  // MARK: Equal to others

  @Test(arguments: 0..<6) func givesTheIDsOfTheLibraryAndOfLlamaCpp(_ index: Int) throws {
    let item = try #require(Self.golden()["tokenizers"]?.elements?[index])
    let path = try #require(item["path"]?.text)
    let tokenizer = try Tokenizer(path: Fixture.path(path))
    let expected = (item["ids"]?.elements ?? []).map { ($0.doubles ?? []).map { Int($0) } }
    let texts = Self.texts(item["texts"])
    #expect(texts.count == expected.count && texts.count >= 25)
    for (text, ids) in zip(texts, expected) {
      #expect(tokenizer.encode(text) == ids, "\(path): \(text.debugDescription)")
    }
  }

  @Test func cutsAsTheLibrary() throws {
    let golden = try Self.golden()
    let texts = Self.texts(golden["texts"])
    let named = (golden["expressions"]?.elements ?? []).map { item in
      (
        JSONValue.object([
          "type": .string("Split"), "pattern": .object(["Regex": item["expression"] ?? .null]),
        ]),
        item["words"]
      )
    }
    let steps = (golden["pretokenizers"]?.elements ?? []).map { ($0["step"] ?? .null, $0["words"]) }
    #expect(named.count == 6 && steps.count == 25)
    for (step, expected) in named + steps {
      let (pretokenizer, _) = try Pretokenizer.read(step, subject: "test")
      for (text, words) in zip(texts, expected?.elements ?? []) {
        let (changed, ranges) = pretokenizer.words(of: Array(text.utf8), Pretokenizer.Place()) {}
        #expect(
          ranges.map { Array(changed[$0]) } == Self.bytes(Self.texts(words)),
          "\(step) \(text.debugDescription)")
      }
    }
  }

  /// llama.cpp's names select the expressions of the models' own files.
  @Test func namesStandForTheModelsExpressions() throws {
    for item in try Self.golden()["expressions"]?.elements ?? [] {
      let pre = try #require(NamedPretokenizer(item["pre"]?.text ?? ""))
      #expect(pre.expressions == [item["expression"]?.text ?? ""])
    }
  }

  @Test func normalizesAsTheLibrary() throws {
    let golden = try Self.golden()
    let texts = Self.texts(golden["texts"])
    let items = golden["normalizers"]?.elements ?? []
    #expect(items.count == 10)
    for item in items {
      let normalizer = try #require(try Normalizer.read(item["step"] ?? .null, subject: "test"))
      let found = texts.map { normalizer.apply(Array($0.utf8), addsPrefix: true) {} }
      #expect(found == Self.bytes(Self.texts(item["texts"])), "\(item["step"] ?? .null)")
    }
  }

  /// Texts reach the tokenizer as String, which replaces invalid UTF-8 with U+FFFD, as Python does.
  @Test func repairsInvalidUTF8AsPython() throws {
    let items = try Self.golden()["repairs"]?.elements ?? []
    #expect(items.count == 8)
    for item in items {
      let digits = Array((item["bytes"]?.text ?? "").utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
      let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
      let repaired = String(decoding: bytes, as: UTF8.self)
      #expect(Array(repaired.utf8) == Array((item["text"]?.text ?? "").utf8))
    }
  }

  // MARK: Back to text

  @Test(arguments: ["bytes", "pieces.gguf", "bytes-llama3.gguf"])
  func decodesWhatItEncoded(_ name: String) throws {
    let tokenizer = try Self.tokenizer(name)
    // A token that swallows spaces, and the character that stands for a space, cannot be decoded.
    for text in Self.texts(try Self.golden()["texts"])
    where !text.contains("<") && !text.contains(WordMark.text) {
      #expect(
        Array(tokenizer.decode(tokenizer.encode(text)).utf8) == Array(text.utf8),
        "\(text.debugDescription)")
    }
  }

  /// Every stretch between added tokens begins with a mark, so only texts without added tokens
  /// round-trip.
  @Test func decodesMarksAndBytes() throws {
    let tokenizer = try Self.tokenizer("marks")
    for text in ["Call me Ishmael.", "x \u{1F600}\u{4E00}\n y", " z"] {
      #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }
    #expect(tokenizer.bytes(of: tokenizer.encode("\n")[1]) == [10])
    #expect(tokenizer.bytes(of: -1).isEmpty && tokenizer.bytes(of: 1 << 40).isEmpty)
  }

  @Test func continuesATextWithoutAPrefix() throws {
    for name in ["marks", "pieces.gguf"] {
      let tokenizer = try Self.tokenizer(name)
      #expect(tokenizer.encodeContinuation(" whale") == tokenizer.encode("whale"))
      #expect(tokenizer.decode([1] + tokenizer.encodeContinuation("whale")) == "<s>whale")
      #expect(
        tokenizer.encode("the whale") == tokenizer.encode("the")
          + tokenizer.encodeContinuation(" whale"))
    }
    let plain = try Self.tokenizer("bytes")
    #expect(plain.encodeContinuation(" whale") == plain.encode(" whale"))
  }

  // MARK: Special tokens

  @Test func namesItsSpecialTokens() throws {
    var marks = try Self.tokenizer("marks")
    #expect(marks.beginning == 1 && marks.endings == [2, 5])
    try marks.set(.none)
    #expect(marks.beginning == nil)
    var bytes = try Self.tokenizer("bytes")
    #expect(bytes.beginning == nil && bytes.namedBeginning == 1)
    #expect(bytes.endings == [2, bytes.encode("<|end|>")[0]])
    try bytes.set(.force)
    #expect(bytes.beginning == 1)
    // llama.cpp begins these with a token if the file does not say.
    #expect(
      try Self.tokenizer("pieces.gguf").beginning == 1
        && Self.tokenizer("bytes-llama3.gguf").beginning == 1)
    let silent = try Self.tokenizer("pieces-phi3.gguf")
    #expect(silent.beginning == nil && silent.namedBeginning == 1)
    #expect(
      Set(silent.endings.map { silent.decode([$0]) }) == ["</s>", "<|end|>", "<|endoftext|>"])
  }
}

/// Tokenizer files with features that are refused.
@Suite("Tokenizers that are refused") struct RefusedTokenizerTests {
  private static let model =
    #"{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}"#

  private static func open(_ members: String, model: String = model) throws -> Tokenizer {
    let folder = try TemporaryDirectory()
    try folder.write(
      "tokenizer.json", "{\"model\": \(model)\(members.isEmpty ? "" : ", ")\(members)}")
    return try Tokenizer(path: folder.path)
  }

  private static func reason(_ open: () throws -> Tokenizer) -> String {
    do {
      _ = try open()
      return ""
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    (#"{"type": "Unigram", "vocab": []}"#, "Unigram"),
    (#"{"type": "WordPiece", "vocab": {}}"#, "WordPiece"),
    ("{}", "none"),
    (#"{"vocab": {"a": 0, "b": 1}, "merges": ["a b"]}"#, "a b"),
    (#"{"vocab": {"a": 0}, "merges": ["a"]}"#, "not a pair"),
    (#"{"vocab": {"a": 0}, "merges": [["a", "a", "a"]]}"#, "not a pair"),
    (#"{"vocab": {"a": -1}, "merges": []}"#, "no id"),
    (#"{"vocab": {"a": 1e300}, "merges": []}"#, "no id"),
    (#"{"vocab": {"a": 2000000000}, "merges": []}"#, "2000000000"),
    (#"{"vocab": {"a": 0, "b": 0}, "merges": []}"#, "two tokens"),
    (#"{"vocab": {}, "merges": []}"#, "0 tokens"),
    (#"{"vocab": {"a": 0}, "merges": [], "continuing_subword_prefix": ""}"#, ""),
    (#"{"vocab": {"a": 0}, "merges": [], "end_of_word_suffix": "</w>"}"#, "end_of_word_suffix"),
    (#"{"vocab": {"a": 0}, "merges": [], "unk_token": "?"}"#, "unk_token '?'"),
  ])
  func judgesModels(_ model: String, _ reason: String) {
    let found = Self.reason { try Self.open("", model: model) }
    #expect(reason.isEmpty ? found.isEmpty : found.contains(reason), "\(found)")
  }

  @Test(arguments: [
    (#""normalizer": {"type": "Precompiled"}"#, "Precompiled"),
    (#""normalizer": {"type": "BertNormalizer"}"#, "BertNormalizer"),
    (#""pre_tokenizer": {"type": "UnicodeScripts"}"#, "UnicodeScripts"),
    (#""decoder": {"type": "WordPiece"}"#, "WordPiece"),
    (#""post_processor": {"type": "RobertaProcessing"}"#, "RobertaProcessing"),
    (#""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}}"#, "cannot be parsed"),
    (
      #""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Halved"}"#,
      "Halved"
    ),
    (#""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}}"#, "too long"),
    (#""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}}"#, "too long"),
    (#""added_tokens": [{"id": 9e15, "content": "x"}]"#, "9000000000000000"),
    (#""added_tokens": [{"content": "x"}]"#, "no id"),
    (
      #""post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "q"}}, {"Sequence": {"id": "A"}}]}"#,
      "'q'"
    ),
    (
      #""normalizer": {"type": "Replace", "pattern": {"Regex": "x*"}, "content": "\#(String(repeating: "x", count: 2000))"}"#,
      "lengthen"
    ),
  ])
  func judgesSteps(_ members: String, _ reason: String) {
    let found = Self.reason { try Self.open(members) }
    #expect(found.contains(reason), "\(found)")
  }

  /// Forty steps that double every space would turn one space into a terabyte.
  @Test func refusesReplacementsThatGrowWithoutEnd() {
    let double = #"{"type": "Replace", "pattern": {"String": " "}, "content": "  "}"#
    let all = Array(repeating: double, count: 40).joined(separator: ", ")
    let found = Self.reason {
      try Self.open("\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [\(all)]}")
    }
    #expect(found.contains("lengthen"))
  }

  @Test func readsTokensThatAreEquivalentButNotTheSame() throws {
    let model =
      "{\"vocab\": {\"\\u00e9\": 0, \"e\": 1, \"\\u0301\": 2, \"e\\u0301\": 3}, \"merges\": [[\"e\", \"\\u0301\"]]}"
    let tokenizer = try Self.open("", model: model)
    #expect(tokenizer.encode("\u{e9}") == [0] && tokenizer.encode("e\u{301}") == [3])
  }

  @Test func namesTheTokenizerThatItCannotRead() throws {
    let folder = try TemporaryDirectory()
    #expect(Self.reason { try Tokenizer(path: folder.path) }.contains("no tokenizer.json"))
    try folder.write("cl100k_base.tiktoken", "")
    #expect(
      Self.reason { try Tokenizer(path: folder.path) }.contains(
        "'cl100k_base.tiktoken' is not supported"))
  }

  @Test func judgesVocabulariesInGGUF() throws {
    let folder = try TemporaryDirectory()
    func reason(_ builder: GGUFBuilder) throws -> String {
      let path = try folder.write("x.gguf", builder.bytes)
      return Self.reason { try Tokenizer(path: path) }
    }
    let base = GGUFBuilder().key("general.architecture", "llama")
    #expect(try reason(base).contains("no tokens"))
    let tokens = base.key("tokenizer.ggml.tokens", ["a", "b", "ab"])
    #expect(try reason(tokens).contains("'none'"))
    #expect(try reason(tokens.key("tokenizer.ggml.model", "bert")).contains("'bert'"))
    #expect(try reason(tokens.key("tokenizer.ggml.model", "llama")).contains("score"))
    let merging = tokens.key("tokenizer.ggml.model", "gpt2")
    #expect(try reason(merging).contains("no merges"))
    #expect(try reason(merging.key("tokenizer.ggml.pre", "kimi-k2")).contains("'kimi-k2'"))
    #expect(try reason(merging.key("tokenizer.ggml.merges", ["ab"])).contains("not a pair"))
    #expect(try reason(merging.key("tokenizer.ggml.merges", ["a x"])).contains("'a x'"))
    let whole = merging.key("tokenizer.ggml.merges", ["a b"])
    #expect(try reason(whole).isEmpty)
    #expect(try reason(whole.key("tokenizer.ggml.bos_token_id", 7 as UInt32)).contains("7"))
  }

  /// A word of n characters takes n log n steps; n squared would take a quarter of an hour here.
  @Test func longWordsTakeNoTimeToSpeakOf() throws {
    let start = ContinuousClock.now
    let ids = try Self.open("").encode(String(repeating: "ab", count: 50_000))
    #expect(ids == Array(repeating: 2, count: 50_000))
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  @Test func ordersMergesByRankAndThenByPlace() throws {
    let model =
      #"{"vocab": {"a": 0, "b": 1, "aa": 2, "ab": 3, "aab": 4}, "merges": ["a a", "a b", "aa b"]}"#
    let tokenizer = try Self.open("", model: model)
    #expect(tokenizer.encode("aaab") == [2, 3])
    #expect(tokenizer.encode("aab") == [4])
    // Characters without a token are left out, and their neighbours are merged.
    #expect(tokenizer.encode("xaxaxbx") == [4])
  }
}
