import Formats
import Foundation
import Models
import TestSupport
import Testing

@testable import Inference
@testable import Numerics
@testable import Verify

/// Compares RULER's tasks with lm-eval's generators and scores.
///
/// fixtures/make/make_golden_ruler.py writes the expected values.
@Suite("RULER as lm-eval makes and scores it") struct RULERTests {
  private static func golden() throws -> JSONValue {
    try JSONDocument(path: Fixture.path("golden/ruler.json")).value
  }

  private static func essay() throws -> RULEREssay {
    let name = "text/moby-dick-opening.txt"
    return RULEREssay(try String(contentsOfFile: Fixture.path(name), encoding: .utf8), name: name)
  }

  private static func isPartOfWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
  }

  /// Counts tokens: one for each run of ASCII letters and digits, one for each other character
  /// except white space, and one in front.
  @Sendable private static func countWords(_ text: String) -> Int {
    var count = 1
    var isInWord = false
    for byte in text.utf8 {
      let isPart = isPartOfWord(byte)
      let isOther = !isPart && byte > 0x20 && byte & 0xC0 != 0x80
      if isOther || isPart && !isInWord { count += 1 }
      isInWord = isPart
    }
    return count
  }

  private static func questions(_ task: RULERTask) throws -> QuestionFile? {
    let files = [RULERTask.squad: "qa_1.squad.json", .hotpotQA: "qa_2.hotpotqa.json"]
    return try files[task].map { try QuestionFile(Fixture.path("benchmarks/\($0)"), for: task) }
  }

  private static func counter(_ name: String) throws -> @Sendable (String) -> Int {
    if name == "words" { return countWords }
    let tokenizer = try Tokenizer(path: Fixture.path("models/\(name)"))
    return { tokenizer.encode($0).count + 1 }
  }

  @Test(arguments: RULERTask.allCases) func samplesEqual(_ task: RULERTask) throws {
    let runs = try #require(Self.golden()["runs"]?.elements).filter {
      $0["task"]?.text == task.rawValue
    }
    #expect(runs.count == 9)
    let essay = try Self.essay()
    for run in runs {
      let seeds = try #require(run["seeds"]?.doubles)
      let expected = try #require(run["samples"]?.elements)
      let generator = RULERGenerator(
        task, essay: essay, questions: try Self.questions(task),
        seeds: .init(python: UInt64(seeds[0]), numPy: UInt32(seeds[1])),
        countTokens: try Self.counter(run["tokenizer"]?.text ?? ""))
      let samples = try generator.samples(
        length: run["length"]?.integer ?? 0, count: expected.count)
      #expect(samples.count == expected.count)
      #expect(task.tokensToGenerate == run["tokens_to_generate"]?.integer)
      for (sample, expected) in zip(samples, expected) { Self.compare(sample, expected, run) }
    }
  }

  private static func compare(_ sample: RULERSample, _ expected: JSONValue, _ run: JSONValue) {
    let place = "\(run["tokenizer"]?.text ?? "") \(run["length"]?.integer ?? 0) \(sample.index)"
    #expect(sample.index == expected["index"]?.integer)
    #expect(sample.length == expected["length"]?.integer, "\(place)")
    #expect(sample.maximumLength == expected["maximum_length"]?.integer)
    #expect(sample.references == expected["references"]?.elements?.compactMap(\.text), "\(place)")
    #expect(sample.generationPrefix == expected["generation_prefix"]?.text)
    #expect(sha256(Array(sample.input.utf8)) == expected["input"]?.text, "\(place)")
    #expect(sha256(Array(sample.prompt.utf8)) == expected["prompt"]?.text, "\(place)")
    if let text = expected["text"]?.text { #expect(sample.prompt == text) }
    if let end = expected["end"]?.text { #expect(sample.prompt.hasSuffix(end), "\(place)") }
  }

  @Test func scoresEqual() throws {
    let scores = try #require(Self.golden()["scores"]?.elements)
    #expect(scores.count == 9)
    for item in scores {
      let references = item["references"]?.elements?.compactMap(\.text) ?? []
      #expect(
        RULERScore.score(item["output"]?.text ?? "", references: references)
          == item["score"]?.double)
    }
  }

  @Test func randomNumbersEqual() throws {
    for item in try #require(Self.golden()["generators"]?.elements) {
      let seed = UInt64(item["seed"]?.integer ?? -1)
      var random = PythonRandom(seed: seed)
      var items = Array(0..<20)
      random.shuffle(&items)
      #expect(items == item["shuffle"]?.doubles?.map { Int($0) })
      #expect(random.sample(below: 80, 6) == item["pool"]?.doubles?.map { Int($0) })
      #expect(random.sample(below: 100_000, 30) == item["set"]?.doubles?.map { Int($0) })
      #expect(
        (0..<10).map { _ in random.integer(in: 1...6) }
          == item["integers"]?.doubles?.map { Int($0) })
      let wide = random.wideBits().reversed().map { String(format: "%08x", $0) }.joined()
      #expect(wide == item["wide"]?.text)
      #expect(random.letters(of: Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 12) == item["letters"]?.text)
      var numbers = NumPyRandom(seed: UInt32(seed % 0x1_0000_0000))
      let drawn = (0..<700).map { _ in numbers.integer(in: 10_000..<99_999) }
      #expect(
        stride(from: 0, to: 700, by: 50).map { drawn[$0] }
          == item["numpy"]?.doubles?.map { Int($0) })
    }
  }

  @Test func givenSentencesAreKept() {
    let essay = RULEREssay(sentences: ["One two.", " Mr. Three ", "", "four"], name: "four words")
    #expect(essay.sentences(words: 9) == ["One two.", "Mr. Three", "four"])
    #expect(essay.sentences(words: 3) == ["One two.", "Mr."])
  }

  @Test func sentencesEnd() {
    let essay = RULEREssay(
      "Mr. Starbuck said \"Sure?\"--and no. 7 left. \"Ay!\" (He did.) J. Coffin of 3.5 tons at 4 p.m. They met Dr. Bunger.",
      name: "test")
    #expect(
      essay.sentences(words: 99) == [
        "Mr. Starbuck said \"Sure?\"", "--and no.", "7 left.", "\"Ay!\"", "(He did.)",
        "J. Coffin of 3.5 tons at 4 p.m.", "They met Dr. Bunger.",
      ])
  }

  @Test func lengthsTooShortAreErrors() throws {
    for task in RULERTask.allCases {
      let generator = RULERGenerator(
        task, essay: try Self.essay(), questions: try Self.questions(task),
        countTokens: Self.countWords)
      #expect(throws: ModelError.self) { try generator.samples(length: 100, count: 1) }
    }
  }

  @Test func passesOverPromptsOnlyBelowTheLimit() throws {
    for task in [RULERTask.niahSingle1, .niahMultikey3, .variableTracking] {
      let essay = try Self.essay()
      let generator = RULERGenerator(task, essay: essay, countTokens: Self.countWords)
      let sample = try #require(try generator.samples(length: 32768, count: 1).first)
      #expect((31_000...32_768).contains(sample.length), "\(task) \(sample.length)")
    }
  }

  @Test(arguments: [
    (RULERTask.squad, "{}", "'data' is missing"), (.squad, #"{"data": []}"#, "has no questions"),
    (
      .squad, #"{"data": [{"paragraphs": [{"context": "C", "qas": [{"question": 1}]}]}]}"#,
      "'question' is 1, expected a string"
    ), (.squad, "[", "questions.json"), (.hotpotQA, "{}", "not a JSON list"),
    (.hotpotQA, "[[1, 2], {", "not a JSON list"),
    (
      .hotpotQA, #"[{"question": "Q, [", "answer": "A"}, {"question": 2}]"#, "element 2: 'question'"
    ),
    (
      .hotpotQA, #"[{"question": "Q", "answer": "A", "context": [["T", "S"]]}]"#,
      "a list of titles with lists of sentences"
    ),
  ]) func rejectsOtherFiles(_ task: RULERTask, _ text: String, _ problem: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write("questions.json", text)
    do {
      _ = try QuestionFile(path, for: task)
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains(problem) && "\(error)".contains(path), "\(error)")
    }
  }

  @Test func listsAreWrittenAsInPython() {
    let texts = ["a", "it's", "\"it's\"", "\\\n\u{A0}\u{200B}\u{1F600}\u{E000}"]
    #expect(
      QuestionAnswering.pythonList(texts)
        == #"['a', "it's", '"it\'s"', '\\\n\xa0\u200b\#u{1F600}\ue000']"#)
  }

  @Test func effectiveLengthIsTheLargestAboveTheThreshold() throws {
    func scores(_ percent: Double) -> [RULERTask: Double] {
      [.variableTracking: percent / 100, .commonWords: percent / 100]
    }
    let found = try EffectiveLength(
      scores: [
        4096: scores(95), 8192: scores(80), 16384: scores(86), 32768: scores(85.6),
        65536: scores(20),
      ])
    #expect(found.length == 16384 && found.shortfalls == [8192] && found.threshold == 85.6)
    #expect(found.tasks == [.variableTracking, .commonWords] && found.missingTasks.count == 11)
    #expect(try EffectiveLength(scores: [4096: scores(50)]).length == nil)
    #expect(throws: ModelError.self) {
      try EffectiveLength(scores: [4096: scores(50), 8192: [.commonWords: 1]])
    }
  }
}
