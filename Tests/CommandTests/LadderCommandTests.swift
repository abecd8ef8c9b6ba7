import Formats
import Foundation
import TestSupport
import Testing

/// Runs `ladder` as a process, on the trained fixture model.
@Suite("Ladder command") struct LadderCommandTests {
  static let common = [
    "--lengths", "128,256", "--windows", "1", "--depths", "2", "--samples", "1", "--prompts", "1",
    "--task", "fwe", "-q",
  ]

  /// A folder with the model as GGUF, in 32 and in 4 bits.
  private func models() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4.gguf", as: "f32.gguf")
    let made = try Program.run(
      ["convert", "f32.gguf", "--type", "q4_0", "-o", "q4_0.gguf", "-q"], in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    return folder
  }

  private func ladder(_ arguments: [String], in folder: TemporaryDirectory) throws
    -> Program.Result
  {
    try Program.run(["ladder"] + arguments + Self.common, in: folder.path)
  }

  private func summary(_ value: JSONValue) throws -> [JSONValue] {
    try #require(value["summary"]?.elements)
  }

  @Test func comparesModelsAndTypesOfTheCache() throws {
    let folder = try models()
    let run = try ladder(
      [
        "f32.gguf", "q4_0.gguf", "--cache", "f16,q4_0", "-o", "l.json", "--html", "l.html",
        "--markdown", "l.md", "--csv", "l.csv", "--svg", "l.svg", "--require", "kl<=0.02", "--keep",
        "0",
      ], in: folder)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let value = try JSONDocument(path: "\(folder.path)/l.json").value
    try checkSchemas(["\(folder.path)/l.json"])
    let rungs = try summary(value)
    #expect(rungs.map { $0["cache"]?.text } == ["f16", "q4_0", "f16", "q4_0"])
    #expect(rungs.map { $0["model"]?.text } == ["f32.gguf", "f32.gguf", "q4_0.gguf", "q4_0.gguf"])
    // The first rung is what the others are compared with.
    let first = try #require(rungs[0]["lengths"]?.elements)
    #expect(
      first.map { $0["kl"]?.double } == [0, 0] && first.map { $0["flips"]?.double } == [0, 0])
    #expect(rungs[0]["fails_at"]?.isNull == true)
    // Weights of four bits cost more than such a cache, and both together most.
    let divergences = try rungs.map { try #require($0["lengths"]?.elements?[1]["kl"]?.double) }
    #expect(divergences[0] < divergences[1] && divergences[1] < divergences[2], "\(divergences)")
    #expect(divergences[2] < divergences[3], "\(divergences)")
    #expect(rungs[2]["fails_at"]?.integer == 128)
    #expect(
      run.output.contains("q4_0   f16    128       kl 0.") && run.output.contains("limit 0.02"))
    // Every rung is a result that `report` takes, and whose numbers are those of verify.
    let verified = try Program.run(
      [
        "verify", "q4_0.gguf", "--cache", "f16", "--against", "f32.gguf", "--lengths", "256",
        "--windows", "1", "--depths", "2", "--samples", "1", "--runtime", "llama.cpp", "--json",
        "--no-gates", "-q",
      ], in: folder.path)
    let other = try JSONDocument(parsing: Array(verified.output.utf8)).value
    let measured = try #require(value["rungs"]?.elements?[2]["retention"]?.elements?[1])
    #expect(measured["kl"] == other["retention"]?.elements?[0]["kl"])
    #expect(measured["errors"]?["kl"]?.double ?? 0 > 0)
    func text(_ name: String) throws -> String {
      String(decoding: try FileSystem.contents(of: "\(folder.path)/\(name)"), as: UTF8.self)
    }
    #expect(try text("l.csv").split(separator: "\n").count == 1 + 4 * 2)
    #expect(try text("l.svg").contains("cache q4_0"))
    #expect(
      try text("l.md").contains("| q4\\_0 | f16 | 128 |")
        || text("l.md").contains("| q4_0 | f16 | 128 |"))
    #expect(try text("l.html").contains("<td class=\"fails\">"))
  }

  /// A model beside itself differs by its cache alone.
  @Test func verifyShowsWhatTheCacheLoses() throws {
    func run(_ cache: [String]) throws -> (value: JSONValue, errors: String) {
      let model = Fixture.path("models/needle-256.gguf")
      let run = try Program.run(
        [
          "verify", model, "--against", model, "--lengths", "128", "--windows", "1", "--depths",
          "1",
          "--samples", "1", "--runtime", "llama.cpp", "--no-gates", "--json",
        ] + cache)
      return (try JSONDocument(parsing: Array(run.output.utf8)).value, run.errors)
    }
    let rounded = try run(["--cache", "q4_0"])
    #expect(rounded.errors.contains("the baseline is the model itself, with a cache of f32"))
    #expect(rounded.value["method"]?["baseline_cache"]?["keys"]?.text == "f32")
    #expect(rounded.value["retention"]?.elements?[0]["kl"]?.double ?? 0 > 0.001)
    let same = try run([])
    #expect(same.errors.contains("the baseline is the model itself\n"))
    #expect(same.value["retention"]?.elements?[0]["kl"]?.double == 0)
  }

  @Test func continuesAnInterruptedLadder() throws {
    let folder = try models()
    let models = ["f32.gguf", "q4_0.gguf"]
    #expect(try ladder(models + ["-o", "whole.json"], in: folder).status == 0)
    // A ladder of which only the first rung was done.
    var value = try JSONDocument(path: "\(folder.path)/whole.json").value
    guard case .object(var members) = value else { return }
    for index in members.indices where ["rungs", "summary"].contains(members[index].name) {
      members[index].value = .array(Array(members[index].value.elements?.prefix(1) ?? []))
    }
    value = .object(members)
    try folder.write("part.json", JSONStyle.standard.encode(value))
    let refused = try ladder(models + ["-o", "part.json"], in: folder)
    #expect(refused.status == 4 && refused.errors.contains("continue a ladder with --resume"))
    let other = try ladder(models + ["-o", "part.json", "--resume", "--seed", "7"], in: folder)
    #expect(other.status == 3 && other.errors.contains("was measured with seed 0, not 7"))
    let resumed = try ladder(models + ["-o", "part.json", "--resume"], in: folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let (whole, part) = try (
      JSONDocument(path: "\(folder.path)/whole.json").value,
      JSONDocument(path: "\(folder.path)/part.json").value
    )
    #expect(whole["summary"] == part["summary"] && part["complete"]?.flag == true)
    // Weights that were changed since are another model.
    let made = try Program.run(
      ["convert", "f32.gguf", "--type", "q8_0", "-o", "new.gguf", "-q"], in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    try FileManager.default.removeItem(atPath: "\(folder.path)/q4_0.gguf")
    try FileManager.default.moveItem(
      atPath: "\(folder.path)/new.gguf", toPath: "\(folder.path)/q4_0.gguf")
    let changed = try ladder(models + ["-o", "part.json", "--resume"], in: folder)
    #expect(changed.status == 3 && changed.errors.contains("q4_0.gguf or a text has changed since"))
  }

  /// Each with its exit code and a part of the message.
  static let mistakes: [(arguments: [String], status: Int32, problem: String)] = [
    (["f32.gguf"], 2, "takes at least two models, or --cache with at least two types"),
    (["f32.gguf", "./f32.gguf"], 2, "is given twice"),
    (["f32.gguf", "--cache", "q8_0,f16"], 2, "expected f16, bf16 or f32 before others"),
    (["f32.gguf", "--cache", "f16,q9"], 2, "--cache: unknown value 'q9'"),
    (["f32.gguf", "--cache", "f16,f16"], 2, "names a type twice"),
    (
      ["f32.gguf", "--cache", "f16,q8_0", "--task", "qa_1"], 2,
      "--task qa_1 needs a file, which ladder does not take"
    ),
    (["f32.gguf", "--cache", "f16,q8_0", "--keep", "95"], 2, "a share, such as 0.9 or 90%"),
    (
      ["f32.gguf", "--cache", "f16,q8_0", "--require", "perplexity<=9"], 2,
      "is about nothing that a ladder measures"
    ),
    (
      ["f32.gguf", "--cache", "f16,q8_0", "--require", "kl@64<=9"], 2,
      "kl is measured at 128 or 256"
    ),
    (["f32.gguf", "--cache", "f16,q8_0", "--resume"], 2, "--resume needs -o"),
    (["f32.gguf", "none.gguf"], 5, "none.gguf"),
    (["f32.gguf", "other"], 3, "its vocabulary has"),
  ]

  @Test(arguments: mistakes.indices) func refusesWhatMakesNoLadder(_ index: Int) throws {
    let (arguments, status, problem) = Self.mistakes[index]
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4.gguf", as: "f32.gguf")
    if arguments.contains("other") { try folder.copy(Self.otherModel, as: "other") }
    let run = try ladder(arguments, in: folder)
    #expect(run.status == status && run.errors.contains(problem), "\(run.errors)")
  }

  /// A model with another vocabulary that runs as vLLM would.
  static let otherModel = "architectures/llama"
}
