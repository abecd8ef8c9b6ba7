import Formats
import Foundation
import Patch
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Verify

/// Compares benchmarks with lm-eval's evaluator, request by request.
///
/// fixtures/make/make_golden_benchmarks.py writes the expected values.
@Suite("Benchmarks as lm-eval asks and scores them") struct BenchmarkTests {
  private static func golden() throws -> JSONValue {
    try JSONDocument(path: Fixture.path("golden/benchmarks.json")).value
  }

  /// The questions in fixtures/benchmarks, and the examples if there are to be any.
  private static func data(_ name: String, shots: Int) throws -> BenchmarkData {
    let parts = [
      "hellaswag": ("validation", "train"), "winogrande": ("validation", "train"),
      "truthfulqa_mc1": ("validation", "none"), "mmlu": ("test", "dev"),
    ]
    let (questions, examples) = parts[name] ?? ("test", "train")
    let benchmark = try #require(Benchmark.named(name))
    return try BenchmarkData(
      benchmark,
      BenchmarkSource(
        data: Fixture.path("benchmarks/\(name).\(questions).jsonl"),
        examples: Fixture.path("benchmarks/\(name).\(examples).jsonl"), shots: shots),
      limit: nil)
  }

  private static func ids(_ value: JSONValue?) -> [Int]? { value?.doubles?.map { Int($0) } }

  @Test(arguments: 0..<10) func promptsAndTokensEqual(_ index: Int) throws {
    let run = try #require(Self.golden()["runs"]?.elements?[index])
    let data = try Self.data(run["task"]?.text ?? "", shots: run["shots"]?.integer ?? 0)
    let documents = try #require(run["documents"]?.elements)
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256-x4"))
    #expect(data.items.count == documents.count && !documents.isEmpty)
    for (item, expected) in zip(data.items, documents) {
      let requests = try #require(expected["requests"]?.elements)
      guard case .choice(let choices, let right) = item.question.form else {
        Issue.record("not a question with choices")
        continue
      }
      #expect(choices.count == requests.count)
      // The target of WinoGrande is the end of the sentence.
      #expect(data.benchmark == .winogrande || expected["target"]?.integer == right)
      for (choice, request) in zip(choices, requests) {
        let context = data.beginning(item) + choice.context
        #expect(context == (request["context"] ?? requests[0]["context"])?.text)
        #expect(choice.continuation == request["continuation"]?.text)
        let (tokens, start) = tokenizer.tokens(of: context, continuedBy: choice.continuation) {}
        #expect(tokens == Self.ids(request["tokens"]) && start == request["start"]?.integer)
      }
    }
  }

  @Test(arguments: 0..<10, [1, 3]) func logLikelihoodsAndScoresEqual(
    _ index: Int, _ threads: Int
  ) throws {
    let golden = try Self.golden()
    let run = try #require(golden["runs"]?.elements?[index])
    let data = try Self.data(run["task"]?.text ?? "", shots: run["shots"]?.integer ?? 0)
    let documents = try #require(run["documents"]?.elements)
    let scoring = try Self.scoring("models/needle-256-x4", threads: threads)
    let asked = BenchmarkRun(
      data: data, tokenizer: try Tokenizer(path: Fixture.path("models/needle-256-x4")),
      window: golden["window"]?.integer ?? 0, models: BenchmarkModels(scoring, baseline: nil))
    var found: [BenchmarkResult.Document] = []
    try asked.ask(data.items) { _, document in found.append(document) }
    #expect(found.count == documents.count)
    for (document, expected) in zip(found, documents) {
      let values = try #require(
        expected["requests"]?.elements?.compactMap { $0["log_likelihood"]?.double })
      #expect(document.answer.logLikelihoods.count == values.count && document.baseline == nil)
      #expect(zip(document.answer.logLikelihoods, values).allSatisfy { abs($0 - $1) < 1e-3 })
      let scores = data.benchmark.scores.map { expected["scores"]?[$0.rawValue]?.double }
      #expect(document.answer.scores == scores, "\(document.number)")
    }
  }

  private static func scoring(_ model: String, threads: Int = 1) throws -> Scoring {
    let path = Fixture.path(model)
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    let policy = try RopePolicy(#require(inspection.readings.first { $0.name == "hf" }))
    return Scoring(ForwardPass(try Transformer(path: path), threads: threads), [policy])
  }

  @Test(arguments: [0, 1]) func promptsOfSolutionsEqual(_ index: Int) throws {
    let expected = try #require(Self.golden()["prompts"]?.elements?[index])
    let data = try Self.data("gsm8k", shots: expected["shots"]?.integer ?? 0)
    let prompts = data.items.map { data.beginning($0) + $0.question.contexts[0] }
    #expect(prompts == expected["texts"]?.elements?.compactMap(\.text))
  }

  @Test func numbersOfSolutionsEqual() throws {
    let golden = try Self.golden()
    let answers = try #require(golden["answers"]?.elements).compactMap(\.text)
    let solutions = try #require(golden["solutions"]?.elements)
    #expect(solutions.count == 15)
    for item in solutions {
      let solution = item["solution"]?.text ?? ""
      for score in Benchmark.gsm8k.scores {
        let found = SolutionNumber.found(in: solution, by: score)
        #expect(found == item["numbers"]?[score.rawValue]?.text, "\(solution)")
        let right = answers.map { answer in
          SolutionNumber.normalized(found) == SolutionNumber.normalized("So.\n#### \(answer)")
            ? 1.0 : 0
        }
        #expect(right == item["right"]?[score.rawValue]?.doubles, "\(solution)")
      }
    }
    #expect(SolutionNumber.beforeStop("18\nQuestion: 4</s>", SolutionNumber.stops) == "18\n")
  }

  @Test func takesTheFirstQuestionsOfEachSubject() throws {
    let data = try BenchmarkData(
      .mmlu, BenchmarkSource(data: Fixture.path("benchmarks/mmlu.test.jsonl")), limit: 2)
    #expect(data.items.map(\.number) == [0, 1, 3, 4])
    #expect(data.digest != (try Self.data("mmlu", shots: 0)).digest)
  }

  @Test func aModelRetainsAllOfItself() throws {
    let data = try Self.data("winogrande", shots: 0)
    let scoring = try Self.scoring("models/needle-256-x4")
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256-x4"))
    // The same weights are run together with the model, others after it.
    for other in ["models/needle-256-x4", "models/needle-256"] {
      let models = BenchmarkModels(scoring, baseline: try Self.scoring(other))
      var result = BenchmarkResult(data, runtime: "hf")
      try BenchmarkRun(data: data, tokenizer: tokenizer, window: 256, models: models)
        .ask(data.items) { _, document in result.documents.append(document) }
      let isSame = result.documents.allSatisfy { $0.answer == $0.baseline }
      #expect(isSame == (other == "models/needle-256-x4") && result.documents.count == 5)
      if isSame {
        // Five equal answers do not show that nothing is lost.
        let retained = try #require(RetainedShare([result]))
        #expect(retained.share == 1 && retained.interval.lowerBound < 0.9 && result.mcNemar() == 1)
      }
    }
  }
}

/// Files that are not what a benchmark takes.
@Suite("Files of benchmarks") struct BenchmarkFileTests {
  private static func message(
    _ benchmark: Benchmark, _ lines: String, examples: String? = nil, shots: Int? = 0
  ) throws -> String {
    let folder = try TemporaryDirectory()
    let source = BenchmarkSource(
      data: try folder.write("data.jsonl", lines),
      examples: try examples.map { try folder.write("examples.jsonl", $0) }, shots: shots)
    do {
      _ = try BenchmarkData(benchmark, source, limit: nil)
      return ""
    } catch {
      return "\(error)"
    }
  }

  private static let mmlu =
    #"{"question": "Q", "subject": "s", "choices": ["a", "b", "c", "d"], "answer": 1}"# + "\n"

  static let damaged: [(Benchmark, String, String)] = [
    (.mmlu, "", "has no rows"), (.mmlu, "\n \n", "has no rows"),
    (.mmlu, mmlu + "\n{", "line 3: not JSON"),
    (.mmlu, "7\n", "line 1: a number, expected an object"),
    (
      .mmlu, #"{"question": 1, "subject": "s"}"#,
      "'choices' is missing, expected a list of 4 strings"
    ),
    (.mmlu, mmlu.replacing("\"d\"", with: "4"), "expected a list of 4 strings"),
    (.mmlu, mmlu.replacing("1}", with: "4}"), "line 1: 'answer' is 4, expected 0, 1, 2"),
    (.hellaswag, #"{"endings": ["a", 1]}"#, "expected a list of two or more strings"),
    (.arcEasy, #"{"question": "Q", "choices": ["a"]}"#, "expected an object"),
    (
      .arcEasy,
      #"{"question": "Q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "C"}"#,
      "'answerKey' is \"C\", expected A or B"
    ),
    (.arcChallenge, #"{"question": {"stem": "Q", "choices": 1}}"#, "expected a list of objects"),
    (
      .truthfulQA, #"{"question": "Q", "mc1_targets": 1}"#, "'mc1_targets' is 1, expected an object"
    ),
    (
      .winogrande, #"{"sentence": "S", "option1": "a", "option2": "b"}"#,
      "expected a sentence with _"
    ),
    (
      .winogrande, #"{"sentence": "S _.", "option1": "a", "option2": "b", "answer": ""}"#,
      "expected 1 or 2"
    ),
    (.gsm8k, #"{"question": "Q", "answer": "18"}"#, "that ends with ####"),
    (.mmlu, "PAR1", "is a Parquet file, expected JSON lines: python3 -c"),
    (.mmlu, "[{}]", "is one JSON list, expected JSON lines: jq"),
  ]

  @Test(arguments: damaged.indices) func rejects(_ index: Int) throws {
    let (benchmark, lines, problem) = Self.damaged[index]
    let message = try Self.message(benchmark, lines)
    #expect(message.contains(problem) && message.contains("data.jsonl"), "\(message)")
  }

  @Test func rejectsMissingExamples() throws {
    #expect(
      try Self.message(.mmlu, Self.mmlu, shots: 2)
        .contains("--few-shot-data mmlu=FILE, or --few-shot mmlu=0"))
    #expect(
      try Self.message(.mmlu, Self.mmlu, examples: Self.mmlu, shots: 2)
        .contains("has 1 rows of 's', expected 2"))
    let text = #"{"sentence": "S _.", "option1": "a", "option2": "b", "answer": "1"}"# + "\n"
    #expect(
      try Self.message(.winogrande, text, examples: text + text, shots: 2)
        .contains("has 2 rows, expected at least 3"))
    // Every row of the examples is the question itself.
    #expect(
      try Self.message(.winogrande, text, examples: text + text + text, shots: 2)
        .contains("has only 0 rows that differ from a question"))
    let truthful = #"{"question": "Q", "mc1_targets": {"choices": ["a", "b"], "labels": [1, 0]}}"#
    #expect(try Self.message(.truthfulQA, truthful, shots: 1).contains("takes no --few-shot"))
  }

  /// The authors' own files of ARC nest the question.
  @Test func readsBothFormsOfARC() throws {
    let flat =
      #"{"question": "Q", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "B"}"#
    let nested =
      #"{"question": {"stem": "Q", "choices": [{"text": "x", "label": "A"}, {"text": "y", "label": "B"}]}, "answerKey": "B"}"#
    let folder = try TemporaryDirectory()
    let digests = try [flat, nested].map { text in
      let path = try folder.write("arc.jsonl", text)
      return try BenchmarkData(.arcEasy, BenchmarkSource(data: path), limit: nil).digest
    }
    #expect(digests[0] == digests[1])
  }
}

/// Shares that a model retains of its baseline.
@Suite("Retained shares") struct RetainedShareTests {
  /// Answers of which `both` are right with model and baseline, and others with only one of them.
  private static func result(both: Int, gained: Int, lost: Int, neither: Int) throws
    -> BenchmarkResult
  {
    let path = Fixture.path("benchmarks/winogrande.validation.jsonl")
    let data = try BenchmarkData(.winogrande, BenchmarkSource(data: path), limit: nil)
    var result = BenchmarkResult(data, runtime: "hf")
    func answer(_ score: Double) -> BenchmarkResult.Answer { .init(given: "0", scores: [score]) }
    for (count, own, other) in [(both, 1.0, 1.0), (gained, 1, 0), (lost, 0, 1), (neither, 0, 0)] {
      for _ in 0..<count {
        result.documents.append(
          .init(
            number: result.documents.count, target: "0", answer: answer(own),
            baseline: answer(other)))
      }
    }
    return result
  }

  @Test func intervalIsThatOfMatchedPairs() throws {
    let result = try Self.result(both: 60, gained: 5, lost: 10, neither: 25)
    let retained = try #require(RetainedShare([result]))
    // 65 of 70, with a standard error of the logarithm of sqrt(15 / (65 * 70)).
    let half = 1.959964 * (15.0 / (65 * 70)).squareRoot()
    #expect(abs(retained.share - 65.0 / 70) < 1e-12)
    #expect(abs(retained.interval.lowerBound - 65.0 / 70 * exp(-half)) < 1e-9)
    #expect(abs(retained.interval.upperBound - 65.0 / 70 * exp(half)) < 1e-9)
    // R: binom.test(5, 15)$p.value
    #expect(abs(try #require(result.mcNemar()) - 0.30175781) < 1e-7)
    #expect(abs(result.standardError() - (0.65 * 0.35 / 99).squareRoot()) < 1e-12)
  }

  @Test func severalBenchmarksAreComparedByTheirMeans() throws {
    let first = try Self.result(both: 60, gained: 5, lost: 10, neither: 25)
    let second = try Self.result(both: 10, gained: 0, lost: 0, neither: 10)
    let retained = try #require(RetainedShare([first, second]))
    #expect(abs(retained.share - (0.65 + 0.5) / (0.7 + 0.5)) < 1e-12)
    #expect(retained.interval.contains(retained.share))
  }

  @Test func nothingIsRetainedOfNothing() throws {
    #expect(RetainedShare([]) == nil)
    #expect(RetainedShare([try Self.result(both: 0, gained: 2, lost: 0, neither: 1)]) == nil)
    let lost = RetainedShare([try Self.result(both: 0, gained: 0, lost: 2, neither: 1)])
    #expect(lost?.share == 0 && lost?.interval == 0...0)
  }
}
