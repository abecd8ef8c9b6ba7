import Formats
import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

/// Saved results: merged, judged and rendered.
@Suite("Reports") struct ReportTests {
  static let model = Fixture.path("models/needle-256-x4")
  static let common = [
    "--lengths", "256,512", "--depths", "3", "--runtime", "paper", "--runtime", "vllm", "-q",
    "--samples", "1",
  ]

  private func verify(_ arguments: [String], in folder: TemporaryDirectory) throws -> Program.Result
  {
    try Program.run(["verify", Self.model] + Self.common + arguments, in: folder.path)
  }

  private func report(_ arguments: String..., in folder: TemporaryDirectory) throws
    -> Program.Result
  {
    try Program.run(["report"] + arguments, in: folder.path)
  }

  @Test func partsMakeTheWhole() throws {
    let folder = try TemporaryDirectory()
    #expect(try verify(["-o", "whole.json", "--no-gates"], in: folder).status == 0)
    for part in 1...3 {
      #expect(try verify(["--shard", "\(part)/3", "-o", "\(part).json"], in: folder).status == 0)
    }
    let merged = try report("1.json", "2.json", "3.json", "--json", in: folder)
    let (whole, parts) = try (
      JSONDocument(path: "\(folder.path)/whole.json").value,
      JSONDocument(parsing: Array(merged.output.utf8)).value
    )
    // The margins differ in their last digits, because prompts share other beginnings.
    func cells(_ value: JSONValue) -> [String: Double] {
      let pairs = (value["passkeys"]?.elements ?? []).map { cell -> (String, Double) in
        guard case .object(let members) = cell else { return ("", 0) }
        let rest = JSONValue.object(members.filter { $0.name != "margin" })
        let name = String(decoding: JSONStyle.compact.encode(rest), as: UTF8.self)
        return (name, cell["margin"]?.double ?? 0)
      }
      return Dictionary(pairs) { first, _ in first }
    }
    let (wholeCells, partCells) = (cells(whole), cells(parts))
    #expect(wholeCells.count == 12 && wholeCells.keys == partCells.keys)
    #expect(wholeCells.allSatisfy { abs($1 - (partCells[$0] ?? .infinity)) < 1e-3 })
    #expect(parts["shard"]?.isNull == true)
    #expect(
      try report("1.json", "2.json", "3.json", "--require", "passkey@256>=0.9", in: folder).status
        == 0)
    #expect(
      try report("1.json", "2.json", "3.json", "--require", "passkey>=0.9", in: folder).status == 1)
    for (wrong, words) in [
      (["1.json", "2.json"], "3 is missing"), (["1.json", "2.json", "2.json"], "part 2/3"),
      (["1.json", "whole.json"], "whole result among parts"),
      (["whole.json", "whole.json"], "is there already"),
    ] {
      let result = try Program.run(["report"] + wrong, in: folder.path)
      #expect(result.status == 3 && result.errors.contains(words), "\(wrong): \(result.errors)")
    }
  }

  @Test func theSameFilesAreTheSameModelWhereverTheyStand() throws {
    let folder = try TemporaryDirectory()
    for name in ["a", "b", "c"] { try folder.copy("models/needle-256-x4", as: name) }
    try folder.write(
      "c/config.json",
      String(contentsOfFile: "\(folder.path)/c/config.json", encoding: .utf8) + "\n")
    for (model, file, length) in [
      ("a", "1", "128"), ("\(folder.path)/b/", "2", "256"), ("c", "3", "256"),
    ] {
      let run = try Program.run(
        [
          "verify", model, "--lengths", length, "--depths", "2", "--runtime", "vllm", "-q", "-o",
          "\(file).json",
        ],
        in: folder.path)
      #expect(run.status == 0, "\(run.errors)")
    }
    #expect(try report("1.json", "2.json", in: folder).status == 0)
    #expect(try report("1.json", "3.json", in: folder).status == 3)
  }

  @Test func resultsOfOtherMethodsAreNotMixed() throws {
    let folder = try TemporaryDirectory()
    #expect(try verify(["-o", "a.json", "--no-gates"], in: folder).status == 0)
    #expect(
      try verify(["-o", "b.json", "--no-gates", "--seed", "5", "--task", "niah"], in: folder).status
        == 0)
    #expect(try verify(["-o", "c.json", "--no-gates", "--task", "niah"], in: folder).status == 0)
    #expect(try report("a.json", "b.json", in: folder).errors.contains("was measured with "))
    #expect(try report("a.json", "c.json", in: folder).output.contains("niah: answers found"))
    for (name, text) in [
      ("x.json", "{}"), ("y.json", "[1"),
      ("z.json", "{\"schema\": \"lrpatch.verify/1\", \"method\": 3}"),
    ] {
      try folder.write(name, text)
      let result = try report(name, in: folder)
      #expect(result.status == 3 && result.errors.contains(name), "\(result.errors)")
    }
    // Damaged results are errors or results, never crashes.
    let original = try FileSystem.contents(of: "\(folder.path)/a.json")
    var random = Seeded(3)
    for _ in 0..<30 {
      var damaged = original
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(
          in: 32..<127, using: &random)
      }
      try folder.write("d.json", damaged)
      let result = try report("d.json", "--html", "d.html", "--require", "passkey>=0.5", in: folder)
      #expect(!result.wasKilled && [0, 1, 3].contains(result.status), "\(result.errors)")
    }
  }

  private final class Cases: NSObject, XMLParserDelegate {
    var cases = 0
    var failures = 0
    var declared: [String: Int] = [:]
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?,
      attributes: [String: String]
    ) {
      if name == "testcase" { cases += 1 }
      if name == "failure" { failures += 1 }
      if name == "testsuites" {
        for key in ["tests", "failures"] { declared[key] = attributes[key].flatMap { Int($0) } }
      }
    }
  }

  @Test func renderingsSayWhatTheJSONSays() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "m<&\"1")
    let rendering = [
      "--html", "r.html", "--junit", "r.xml", "--markdown", "r.md", "--task", "passkey", "--task",
      "perplexity",
    ]
    let result = try Program.run(
      ["verify", "m<&\"1"] + Self.common + rendering + ["--json"], in: folder.path)
    // `-q` and `--json` go together: one document, nothing else.
    let value = try JSONDocument(parsing: Array(result.output.utf8)).value
    #expect(result.status == 1 && value["gates"]?.elements?.first?["passed"]?.flag == false)
    func text(_ name: String) throws -> String {
      String(decoding: try FileSystem.contents(of: "\(folder.path)/\(name)"), as: UTF8.self)
    }
    let parser = XMLParser(data: Data(try text("r.xml").utf8))
    let cases = Cases()
    parser.delegate = cases
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(cases.failures == 1 && cases.declared == ["tests": cases.cases, "failures": 1])
    #expect(
      cases.cases == 1 + (value["passkeys"]?.elements?.count ?? 0)
        + (value["perplexities"]?.elements?.count ?? 0))
    let (html, markdown) = try (text("r.html"), text("r.md"))
    for item in value["perplexities"]?.elements ?? [] {
      let number = try #require(item["perplexity"]?.double)
      // As many digits as leave two of the error.
      let error = try #require(item["standard_error"]?.double)
      let digits = (0...6).first { error * pow(10, Double($0)) >= 9.95 } ?? 6
      let shown = String(format: "%.\(digits)f", number)
      #expect(html.contains(shown) && markdown.contains(shown), "\(shown)")
    }
    #expect(
      html.contains("FAILED") && html.contains("m&lt;&amp;&quot;1") && !html.contains("<script"))
    #expect(
      !html.contains("http://") && !html.contains("https://")
        && html.contains("prefers-color-scheme: dark"))
    #expect(markdown.contains("\n# FAILED") && markdown.contains("`passkey>=0.9`"))
  }

  /// Runs the action's script, with options split as the action does.
  @Test func theReleaseCheckFailsAndPassesWithTheModel() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "m")
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    func check() throws -> Int32 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = [
        "bash", "-c",
        "readarray -d '' -t options < <(xargs -r printf '%s\\0' <<< \"$VERIFY\"); exec \"$0\" m \"$1\" \"${options[@]}\"",
        Fixture.root + "/scripts/release-check.sh", factors,
      ]
      process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
      process.environment = ProcessInfo.processInfo.environment.merging([
        "LRPATCH": Program.path,
        "VERIFY": "--lengths 256,512 --depths 2 --runtime paper --require 'passkey>=0.9'",
        "GITHUB_STEP_SUMMARY": "\(folder.path)/summary",
      ]) { $1 }
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      return process.terminationStatus
    }
    #expect(try check() == 1)
    #expect(try Program.run(["apply", factors, "m", "-q"], in: folder.path).status == 0)
    #expect(try check() == 0)
    let summary = String(
      decoding: try FileSystem.contents(of: "\(folder.path)/summary"), as: UTF8.self)
    #expect(summary.contains("# FAILED") && summary.contains("# passed"))
    for name in ["result.json", "report.html", "junit.xml"] {
      #expect(FileSystem.exists("\(folder.path)/lrpatch-report/\(name)"))
    }
  }
}
