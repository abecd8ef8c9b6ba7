import Formats
import TestSupport
import Testing

/// Benchmarks, and other tasks whose questions come from files, in the command `verify`.
@Suite("Benchmarks in the verify command") struct BenchmarkCommandTests {
  private static func data(_ task: String, _ split: String) -> String {
    "\(task)=\(Fixture.path("benchmarks/\(task).\(split).jsonl"))"
  }

  private static let benchmarks = [
    "--task", "mmlu,winogrande", "--data", data("mmlu", "test"), "--few-shot", "mmlu=2",
    "--few-shot-data", data("mmlu", "dev"), "--data", data("winogrande", "validation"),
  ]

  @Test func comparesBenchmarksWithABaseline() throws {
    let folder = try TemporaryDirectory()
    let (result, csv) = ("\(folder.path)/result.json", "\(folder.path)/result.csv")
    let (junit, markdown) = ("\(folder.path)/result.xml", "\(folder.path)/result.md")
    let arguments =
      ["verify", Fixture.path("models/needle-256-x4"), "--runtime", "hf", "--runtime", "vllm"]
      + ["--baseline", Fixture.path("models/needle-256"), "--windows", "1"] + Self.benchmarks
    let run = try Program.run(
      arguments + ["-o", result, "--csv", csv, "--junit", junit, "--markdown", markdown]
        + ["--require", "retained>=10%", "--require", "retained_winogrande>=99.9%"])
    #expect(run.status == 1, "\(run.errors)")
    #expect(run.output.contains("passed  retained>=10%"))
    #expect(run.output.contains("FAILED  retained_winogrande>=99.9%  (0.8, hf at 256)"))
    let json = try JSONDocument(path: result).value
    let entries = try #require(json["benchmarks"]?.elements)
    #expect(entries.count == 2 && entries[0]["runtimes"]?.elements?.count == 2)
    #expect(entries.map { $0["documents"]?.elements?.count } == [8, 5])
    #expect(entries.map { $0["few_shot"]?.integer } == [2, 0])
    #expect(entries[1]["scores"]?.elements?[0]["retained"]?.double == 0.8)
    #expect(json["missing"]?.elements?.isEmpty == true)
    func text(_ path: String) throws -> String {
      String(decoding: try FileSystem.contents(of: path), as: UTF8.self)
    }
    #expect(try text(csv).split(separator: "\n").count == 1 + 2 * (8 + 5))
    #expect(try text(junit).contains("classname=\"lrpatch.winogrande\" name=\"hf, 5 questions\""))
    #expect(try text(markdown).contains("| winogrande | acc | 5 | 80 ± 20 % | 100 % | 80 %"))
    // The same bytes for any number of threads, and after the result was read.
    let other = try Program.run(arguments + ["--no-gates", "--threads", "3", "--json"])
    let one = try Program.run(arguments + ["--no-gates", "--threads", "1", "--json"])
    #expect(
      VerifyCommandTests.withoutTimes(other.output) == VerifyCommandTests.withoutTimes(one.output))
    let report = try Program.run(["report", result, "--no-gates", "--json"])
    let read = try JSONDocument(parsing: Array(report.output.utf8)).value
    #expect(read["benchmarks"] == json["benchmarks"] && read["retained"] == json["retained"])
  }

  @Test func mergesThePartsOfBenchmarks() throws {
    let folder = try TemporaryDirectory()
    let arguments =
      ["verify", Fixture.path("models/needle-256-x4"), "--runtime", "hf"] + Self.benchmarks
    let parts = try (1...2).map { part in
      let path = "\(folder.path)/\(part).json"
      let run = try Program.run(arguments + ["--shard", "\(part)/2", "-o", path])
      #expect(run.status == 0, "\(run.errors)")
      return path
    }
    let report = try Program.run(["report"] + parts + ["--require", "mmlu>=0", "--json"])
    #expect(report.status == 0, "\(report.errors)")
    let whole = try Program.run(arguments + ["--json"])
    let merged = try JSONDocument(parsing: Array(report.output.utf8)).value
    let expected = try JSONDocument(parsing: Array(whole.output.utf8)).value
    #expect(merged["benchmarks"] == expected["benchmarks"])
    #expect(merged["missing"]?.elements?.isEmpty == true)
  }

  @Test func asksQuestionsFromFiles() throws {
    let run = try Program.run(
      ["verify", Fixture.path("models/needle-256-x4"), "--runtime", "hf", "--task", "qa_1,qa_2"]
        + ["--data", "qa_1=\(Fixture.path("benchmarks/qa_1.squad.json"))"]
        + ["--data", "qa_2=\(Fixture.path("benchmarks/qa_2.hotpotqa.json"))"]
        + ["--lengths", "1024", "--samples", "2", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let json = try JSONDocument(parsing: Array(run.output.utf8)).value
    #expect(
      json["answers"]?.elements?.map { $0["task"]?.text } == ["qa_1", "qa_1", "qa_2", "qa_2"])
    #expect(json["provenance"]?["inputs"]?.elements?.count == 2)
  }

  @Test func asksAboutPassagesByDepth() throws {
    let arguments = [
      "verify", Fixture.path("models/needle-256-x4"), "--runtime", "hf", "--task", "rag", "--data",
      Fixture.path("benchmarks/qa_1.squad.json"), "--few-shot", "0", "--lengths", "512,1024",
      "--depths", "3", "--samples", "2",
    ]
    let folder = try TemporaryDirectory()
    let html = folder.path + "/report.html"
    let run = try Program.run(arguments + ["--html", html])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("answers of rag by depth"))
    let page = String(decoding: try FileSystem.contents(of: html), as: UTF8.self)
    #expect(
      page.contains("Answers of rag found, by length and depth") && page.contains("of 2 found"))
    let json = try JSONDocument(
      parsing: Array(try Program.run(arguments + ["--json"]).output.utf8)
    ).value
    let answers = try #require(json["answers"]?.elements)
    #expect(answers.count == 12 && answers.allSatisfy { $0["task"]?.text == "rag" })
    #expect(Set(answers.compactMap { $0["depth"]?.double }) == [0, 0.5, 1])
  }

  /// Each with its exit code and a part of the message.
  static let mistakes: [(arguments: [String], status: Int32, problem: String)] = [
    (["--task", "mmlu"], 2, "--task mmlu needs its questions: --data mmlu=FILE"),
    (
      ["--task", "arc", "--data", "test.jsonl"], 2,
      "--data: 'test.jsonl' does not say of which benchmark"
    ),
    (
      ["--task", "mmlu", "--data", data("mmlu", "test"), "--few-shot", "2"], 2,
      "--few-shot-data mmlu=FILE, or --few-shot mmlu=0"
    ),
    (["--task", "qa_1"], 2, "--data qa_1=FILE, SQuAD's dev-v2.0.json"),
    (["--task", "rag"], 2, "--data rag=FILE, SQuAD's dev-v2.0.json or HotpotQA's"),
    (
      ["--task", "rag", "--data", Fixture.path("benchmarks/mmlu.test.jsonl")], 3,
      "the file is expected as dev-v2.0.json of SQuAD"
    ),
    (["--task", "mmlu", "--few-shot", "2"], 2, "whose questions need --data mmlu=FILE"),
    (
      ["--task", "mmlu", "--data", data("mmlu", "test"), "--few-shot", "x"], 2,
      "'x' is not a number of examples"
    ),
    (
      ["--task", "passkey", "--data", data("mmlu", "test")], 2,
      "a file for mmlu is given, which is not measured"
    ),
    (
      ["--task", "mmlu", "--data", Fixture.path("benchmarks/gsm8k.test.jsonl")], 3,
      "line 1: 'subject' is missing"
    ),
    (
      [
        "--task", "gsm8k", "--data", data("gsm8k", "test"), "--few-shot-data",
        data("gsm8k", "train"),
      ], 3, "the model's window, 256 tokens, has no room"
    ),
    (
      ["--task", "mmlu", "--data", data("mmlu", "test"), "--require", "retained>=1"], 2,
      "it takes --baseline and benchmarks"
    ),
  ]

  @Test(arguments: mistakes.indices) func saysWhatABenchmarkNeeds(_ index: Int) throws {
    let (arguments, status, problem) = Self.mistakes[index]
    let run = try Program.run(["verify", Fixture.path("models/needle-256-x4")] + arguments)
    #expect(run.status == status && run.errors.contains(problem), "\(run.status) \(run.errors)")
  }

  /// A prompt that loses its examples or its beginning is another question.
  @Test func saysHowManyPromptsWereCut() throws {
    let folder = try TemporaryDirectory()
    func row(_ question: String) -> String {
      #"{"question": "\#(question)", "subject": "x", "choices": ["a", "b", "c", "d"], "answer": 1}"#
    }
    let long = String(repeating: "What is the way to the sea? ", count: 200)
    let path = try folder.write("questions.jsonl", row(long) + "\n" + row("Why?") + "\n")
    let arguments = [
      "verify", Fixture.path("models/needle-256-x4"), "--runtime", "hf", "--task", "mmlu",
      "--data", path, "--no-gates",
    ]
    let run = try Program.run(arguments + ["--json"])
    let result = try JSONDocument(parsing: Array(run.output.utf8)).value
    let documents = result["benchmarks"]?.elements?.first?["documents"]?.elements ?? []
    #expect(documents.map { $0["cut"]?.flag } == [true, false])
    #expect(try Program.run(arguments).output.contains("2, 1 of them cut"))
  }
}
