import Formats
import Foundation
import TestSupport
import Testing

/// Results that would mislead whoever reads them beside others.
@Suite("Misleading results") struct MisleadingResultTests {
  @Test func beforeMustBeMeasuredAlike() throws {
    let folder = try TemporaryDirectory.workbench()
    let text = Fixture.path("text/moby-dick-opening.txt")
    func measure(_ name: String, _ more: [String]) throws {
      let arguments = [
        "verify", "model", "--lengths", "128", "--depths", "1", "--samples", "1", "--perplexity",
        text, "--runtime", "paper", "--no-gates", "-q", "-o", name,
      ]
      let result = try Program.run(arguments + more, in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
    }
    try measure("same.json", ["--windows", "2"])
    try measure("seed.json", ["--windows", "2", "--seed", "1"])
    try measure("windows.json", ["--windows", "3"])
    #expect(try Program.run(["apply", "factors.json", "model", "-q"], in: folder.path).status == 0)
    try measure("after.json", ["--windows", "2"])
    let itself = ["report", "after.json", "--before", "after.json"]
    #expect(try Program.run(itself, in: folder.path).errors.contains("of the same files"))
    let swapped = try Program.run(
      ["report", "same.json", "--before", "after.json"], in: folder.path)
    #expect(swapped.errors.contains("are the two results swapped?"))
    for (name, words) in [("seed.json", "seed 1"), ("windows.json", "windows 3")] {
      let result = try Program.run(["report", "after.json", "--before", name], in: folder.path)
      #expect(result.status == 3 && result.errors.contains(words), "\(result.errors)")
    }
    let same = try Program.run(["report", "after.json", "--before", "same.json"], in: folder.path)
    #expect(same.status == 0 && same.output.contains("before: paper"))
    let both = try Program.run(
      ["report", "after.json", "--before", "same.json", "--json"], in: folder.path)
    let document = try JSONDocument(parsing: Array(both.output.utf8)).value
    #expect(document["before"]?["inspection"]?["factors"]?.isNull == true)
    #expect(document["inspection"]?["factors"]?.members != nil)
    try checkSchemas([try folder.write("both.json", both.output)])
    #expect(same.output.contains("no gate: nothing was judged"))
    try FileManager.default.removeItem(atPath: "\(folder.path)/model")
    try folder.copy("models/needle-256", as: "model")
    try measure("other.json", ["--windows", "2"])
    let half = String(
      decoding: try FileSystem.contents(of: text).dropFirst(20_000), as: UTF8.self)
    let second = try folder.write("half.txt", half)
    let elsewhere = try Program.run(
      [
        "verify", "model", "--lengths", "128", "--task", "perplexity", "--perplexity", second,
        "--windows", "2", "--runtime", "paper", "-q", "-o", "half.json",
      ], in: folder.path)
    #expect(elsewhere.status == 0, "\(elsewhere.errors)")
    let texts = try Program.run(
      ["report", "after.json", "--before", "half.json"], in: folder.path)
    #expect(texts.status == 3 && texts.errors.contains("half.txt, not of"), "\(texts.errors)")
    let needles = try Program.run(
      [
        "verify", "model", "--lengths", "256", "--task", "passkey", "--depths", "1", "--samples",
        "1", "--windows", "2", "--runtime", "paper", "--no-gates", "-q", "-o", "needles.json",
      ],
      in: folder.path)
    #expect(needles.status == 0, "\(needles.errors)")
    let nothing = try Program.run(
      ["report", "after.json", "--before", "needles.json"], in: folder.path)
    #expect(
      nothing.status == 3 && nothing.errors.contains("it measured passkeys at 256"),
      "\(nothing.errors)")
    let other = try Program.run(
      ["report", "after.json", "--before", "other.json"], in: folder.path)
    #expect(other.status == 0 && other.errors.contains("a model with other weights"))
  }

  @Test func aCopyKeepsTheFormatOfItsModel() throws {
    let folder = try TemporaryDirectory.workbench()
    for line in ["apply factors.json model -o out.gguf", "apply factors.json model.gguf -o out"] {
      let result = try Program.run(line.split(separator: " ").map(String.init), in: folder.path)
      #expect(result.status == 2 && result.errors.contains("lrpatch convert"), "\(result.errors)")
    }
    #expect(
      !FileSystem.exists("\(folder.path)/out") && !FileSystem.exists("\(folder.path)/out.gguf"))
  }

  @Test func longListsShowWhereTheyDiffer() throws {
    let folder = try TemporaryDirectory.workbench()
    let text = String(
      decoding: try FileSystem.contents(of: "\(folder.path)/factors.json"), as: UTF8.self)
    try folder.write("other.json", text.replacing("1.7099759466766968", with: "1.75"))
    let result = try Program.run(["diff", "factors.json", "other.json"], in: folder.path)
    #expect(result.status == 1 && result.output.contains(", at 2 1.75"), "\(result.output)")
  }

  /// A card says nothing that was measured with other factors.
  @Test func aCardDropsTheResultsOfOtherFactors() throws {
    let folder = try TemporaryDirectory.workbench()
    func run(_ line: String) throws -> Program.Result {
      try Program.run(line.split(separator: " ").map(String.init), in: folder.path)
    }
    #expect(try run("apply factors.json model").status == 0)
    let verify = "verify model --lengths 128 --depths 1 --samples 1 --runtime hf -q -o r.json"
    #expect(try run(verify).status == 0)
    #expect(try run("card model --result r.json").status == 0)
    let card = "\(folder.path)/model/README.md"
    func text() throws -> String {
      String(decoding: try FileSystem.contents(of: card), as: UTF8.self)
    }
    let measured = try text()
    // Another run without a result keeps the numbers.
    #expect(try run("card model").status == 0)
    #expect(try text() == measured && measured.contains("100 % of 1"))
    let again = try run("apply factors.json model --target-length 2k")
    #expect(again.status == 0 && again.errors.contains("describes other factors"))
    #expect(again.errors.contains("written for 2048"))
    #expect(try run("card model").status == 0)
    #expect(try !text().contains("100 % of 1") && !text().contains("passkey at 128"))
  }

  @Test func cellsAreListedAndWrittenAsCSV() throws {
    let folder = try TemporaryDirectory.workbench()
    let result = try Program.run(
      [
        "verify", "model", "--lengths", "512", "--depths", "2", "--samples", "1", "--runtime",
        "hf,vllm", "--csv", "cells.csv",
      ], in: folder.path)
    #expect(result.status == 1, "\(result.errors)")
    #expect(result.errors.contains("512 tokens are beyond the model's window of 256"))
    #expect(
      result.output.contains("512 **") && result.output.contains("passkey at 512, depth 100 %"))
    #expect(result.output.contains("hf, vllm") && result.output.contains("expected '"))
    let csv = String(
      decoding: try FileSystem.contents(of: "\(folder.path)/cells.csv"), as: UTF8.self)
    #expect(csv.hasPrefix("task,runtime,length,depth,sample,score,expected,answer,prompt_tail\n"))
    #expect(csv.contains("passkey,hf,512,1.0,0,0.0,") && csv.contains("The pass key is\""))
  }
}
