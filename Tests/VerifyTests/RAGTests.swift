import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Verify

/// Questions about passages, in HELMET's words and by its score.
@Suite struct RAGTests {
  private static let path = Fixture.path("benchmarks/qa_1.squad.json")

  private static func golden(_ part: String) throws -> [JSONValue] {
    try #require(JSONDocument(path: Fixture.path("golden/rag.json")).value[part]?.elements)
  }

  private static func passages(_ item: JSONValue) -> [QuestionFile.Document] {
    (item["ctxs"]?.elements ?? []).map {
      let text = $0["text"]?.text ?? ""
      return .init(title: $0["title"]?.text ?? "", paragraph: text, text: text)
    }
  }

  @Test func promptsEqualHELMETs() throws {
    for prompt in try Self.golden("prompts") {
      let item = try #require(prompt["item"])
      let examples = try #require(prompt["examples"]?.elements).map {
        RAGPrompt.example(
          $0["question"]?.text ?? "", about: Self.passages($0),
          answer: $0["answers"]?.elements?.first?.text ?? "")
      }
      let made = RAGPrompt.text(
        examples.joined(), Self.passages(item), item["question"]?.text ?? "")
      #expect(made == prompt["prompt"]?.text)
    }
  }

  @Test func scoresEqualHELMETs() throws {
    for answer in try Self.golden("answers") {
      let output = try #require(answer["output"]?.text)
      let references = try #require(answer["references"]?.elements).compactMap(\.text)
      #expect(
        Array(RAGAnswer.normalized(output).utf8) == Array((answer["normalized"]?.text ?? "").utf8))
      let score = TaskGrid.Task.rag.score(output, references: references)
      #expect(score == answer["score"]?.double, "\(output)")
    }
  }

  @Test func promptsFillTheirLengthAndHideThePassageAtEveryDepth() throws {
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256"))
    let data = try RAGData(BenchmarkSource(data: Self.path, shots: 1), seed: 3)
    let length = 1024
    for index in 0..<8 {
      let prompt = try RAGPrompt(data, index, length: length, tokenizer)
      let texts = [0, 0.5, 1].map { prompt.text(depth: $0) }
      let answer = try #require(prompt.item.supporting.first).paragraph
      let places = try texts.map { text in
        let tokens = tokenizer.encode(text).count + 1 + RAGPrompt.tokensToGenerate
        #expect((length * 3 / 4...length).contains(tokens))
        let passages = try #require(text.components(separatedBy: data.examples).last)
          .components(separatedBy: "Document (Title: ").dropFirst()
        let with = passages.indices.filter { passages[$0].contains(answer) }
        #expect(with.count == 1)
        #expect(passages.count { RAGAnswer.isGiven(prompt.item.answers, by: $0) } >= 1)
        return Double(with[0] - passages.startIndex) / Double(passages.count - 1)
      }
      #expect(places[0] == 0 && abs(places[1] - 0.5) < 0.2 && places[2] == 1)
      // The same passages at every depth.
      #expect(Set(texts.map { String($0.sorted()) }).count == 1)
    }
  }

  @Test func examplesAreNotAsked() throws {
    let data = try RAGData(BenchmarkSource(data: Self.path, shots: 2), seed: 0)
    let all = try RAGData(BenchmarkSource(data: Self.path, shots: 0), seed: 0)
    #expect(all.examples.isEmpty && data.count == all.count - 2)
    #expect(data.examples.components(separatedBy: "Question: ").count == 3)
    let apart = try RAGData(
      BenchmarkSource(
        data: Self.path, examples: Fixture.path("benchmarks/qa_2.hotpotqa.json"), shots: 2), seed: 0
    )
    #expect(apart.count == all.count && apart.examples != data.examples)
  }

  /// Where HotpotQA's own passages run out, those of other questions follow; answers need all of
  /// the supporting ones.
  @Test func supportingPassagesOfHotpotQAStandTogether() throws {
    let folder = try TemporaryDirectory()
    let contexts = (0..<4).map { #"["T\#($0)", ["Passage number \#($0) is here."]]"# }
    let path = try folder.write(
      "hotpot.json",
      """
      [{"question": "Which?", "answer": "yes", "supporting_facts": [["T1", 0], ["T3", 0]],
        "context": [\(contexts.joined(separator: ", "))]},
       {"question": "Who?", "answer": "x", "supporting_facts": [],
        "context": [["U", ["Nobody said no."]]]}]
      """)
    let data = try RAGData(BenchmarkSource(data: path, shots: 0), seed: 0)
    #expect(data.count == 1)
    #expect(data.item(0).supporting.map(\.title) == ["T1", "T3"])
    #expect(Set(data.item(0).near.map(\.title)) == ["T0", "T2"])
    var seen: [String] = []
    data.distractors(for: data.item(0)) {
      seen.append($0.title)
      return true
    }
    #expect(seen.last == "U" && seen.count == 3)
  }

  /// A score must not depend on an answer of which nothing is left to look for.
  @Test func questionsWithoutARealAnswerAreLeftOut() throws {
    let folder = try TemporaryDirectory()
    let questions = ["the", "The whale"].map {
      #"{"question": "Q", "answers": [{"text": "\#($0)"}]}"#
    }
    let path = try folder.write(
      "squad.json",
      """
      {"data": [{"title": "T", "paragraphs": [
        {"context": "The whale.", "qas": [\(questions.joined(separator: ", "))]}]}]}
      """)
    let data = try RAGData(BenchmarkSource(data: path, shots: 0), seed: 0)
    #expect(data.count == 1 && data.item(0).answers == ["The whale"])
  }

  @Test func whatCanBeAskedIsAsked() throws {
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256"))
    let path = Fixture.path("benchmarks/qa_2.hotpotqa.json")
    let data = try RAGData(BenchmarkSource(data: path, shots: 0), seed: 0)
    let cells = (0..<data.count + 2).map { Passkey.Cell(length: 1024, depth: 0, sample: $0) }
    var reasons: [String] = []
    let prompts = RAGRun(data: data, tokenizer: tokenizer).prompts(cells) { reasons.append($0) }
    #expect(prompts.map(\.cell.sample) == Array(0..<data.count))
    #expect(reasons == Array(repeating: "the file has only 12 questions to ask", count: 2))
  }

  @Test func lengthsThatCannotBeMadeAreRefused() throws {
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256"))
    let data = try RAGData(BenchmarkSource(data: Self.path), seed: 0)
    for (length, problem) in [(64, "64 tokens are too few"), (1 << 20, "fill only")] {
      do {
        _ = try RAGPrompt(data, 0, length: length, tokenizer)
        Issue.record("no error")
      } catch {
        #expect("\(error)".contains(problem), "\(error)")
      }
    }
  }
}
