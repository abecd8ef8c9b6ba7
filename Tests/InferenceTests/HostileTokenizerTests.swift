import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference

/// Tokenizers that are made to take time or memory, and texts that take long.
@Suite("Hostile tokenizers") struct HostileTokenizerTests {
  private struct Stop: Error {}

  private static let model =
    #"{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, " ": 3}, "merges": ["a b"]}"#

  private static func open(_ members: String, model: String = model) throws -> Tokenizer {
    let folder = try TemporaryDirectory()
    try folder.write("tokenizer.json", "{\"model\": \(model), \(members)}")
    return try Tokenizer(path: folder.path)
  }

  private static func splitting(_ expressions: [String]) -> String {
    let steps = expressions.map {
      "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"\($0)\"}, \"behavior\": \"Isolated\"}"
    }.joined(separator: ", ")
    return "\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\(steps)]}"
  }

  /// Each of these is just fast enough; sixty would take a minute.
  @Test func theTrialOfAllExpressionsTogetherIsShort() throws {
    let slow = (0..<60).map { "(a|b|ab|\($0))*c+" }
    let start = ProcessorTime.ofThread
    #expect(throws: (any Error).self) { try Self.open(Self.splitting(slow)) }
    #expect(ProcessorTime.ofThread - start < .seconds(1))
  }

  @Test func aSingleMatchIsEndedToo() throws {
    let start = ProcessorTime.ofThread
    #expect(throws: (any Error).self) { try Self.open(Self.splitting(["((a?){40}){40}b"])) }
    #expect(ProcessorTime.ofThread - start < .seconds(1))
  }

  @Test func expressionsLikeThoseOfModelsPass() throws {
    let usual = [
      #"\\p{N}{1,3}"#, #"[一-龥぀-ゟ゠-ヿ]+"#, #"\\s?\\p{L}+"#, #"[^\\s\\p{L}\\p{N}]+[\\r\\n]*"#,
      #"\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"#,
    ]
    #expect(try Self.open(Self.splitting(usual)).encode("ab ab") == [2, 3, 2])
  }

  /// An interrupt is answered while a long text becomes tokens, be it one word or many.
  @Test(arguments: ["ab", "ab "], [false, true]) func endsAtACheckpoint(
    _ piece: String, _ splits: Bool
  ) throws {
    let tokenizer = try Self.open(splits ? Self.splitting([#"\\s+"#]) : #""normalizer": null"#)
    let text = String(repeating: piece, count: 50_000)
    var count = 0
    _ = tokenizer.encode(text) { count += 1 }
    #expect(count >= (splits && piece == "ab " ? 50 : 2))
    for last in 1...count where last.nonzeroBitCount == 1 {
      var left = last
      #expect(throws: Stop.self) {
        try tokenizer.encode(text) {
          left -= 1
          if left == 0 { throw Stop() }
        }
      }
    }
  }

  @Test func refusesAVocabularyThatNoModelHas() throws {
    let count = TokenizerLimits.tokens + 1
    let folder = try TemporaryDirectory()
    let values =
      GGUFBuilder.little(UInt32(0)) + GGUFBuilder.little(UInt64(count))
      + [UInt8](repeating: 0, count: count)
    let path = try folder.write(
      "m.gguf", GGUFBuilder.llama().key("tokenizer.ggml.merges", type: 9, values).bytes)
    let error = #expect(throws: (any Error).self) { try Tokenizer(path: path) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("2097153 tokens"))
  }

  /// The library reads such merges too: the last of equal pairs counts, and none can follow itself.
  @Test func mergesThatLeadInCirclesEnd() throws {
    let model =
      #"{"vocab": {"a": 0, "b": 1, "ab": 2, "ba": 3, "aba": 4}, "merges": ["a b", "b a", "ab a", "a ba", "a b"]}"#
    let tokenizer = try Self.open(#""normalizer": null"#, model: model)
    #expect(tokenizer.encode(String(repeating: "ab", count: 10_000)).count <= 20_000)
  }
}
