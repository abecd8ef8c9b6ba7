import Formats
import Foundation
import TestSupport
import Testing

/// What accompanies a model in a release: its card, checksums and statement, and warnings about
/// signatures.
@Suite("Release") struct ReleaseTests {
  private func run(
    _ arguments: String..., in folder: TemporaryDirectory, _ environment: [String: String] = [:]
  ) throws
    -> Program.Result
  {
    try Program.run(arguments, in: folder.path, environment: environment)
  }

  /// A folder with a patched model and the result of a short run.
  private func measured() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "model")
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    #expect(try run("apply", factors, "model", "-q", in: folder).status == 0)
    let verify = try run(
      "verify", "model", "--lengths", "128,256", "--depths", "2", "--runtime", "vllm", "-o",
      "result.json", "-q",
      in: folder)
    #expect(verify.status == 0, "\(verify.errors)")
    return folder
  }

  private func edit(_ name: String, in folder: TemporaryDirectory, _ change: (String) -> String)
    throws
  {
    try change(text(name, in: folder)).write(
      toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8)
  }

  private func text(_ name: String, in folder: TemporaryDirectory) throws -> String {
    try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
  }

  @Test func theCardDoesNotDependOnHowTheModelIsNamed() throws {
    let folder = try measured()
    #expect(try run("card", "model", "--result", "result.json", in: folder).status == 0)
    for path in ["model", "./model", "model/", "\(folder.path)/model"] {
      let check = try run("card", path, "--result", "result.json", "--check", in: folder)
      #expect(check.status == 0, "\(path): \(check.errors)")
    }
    let card = try String(contentsOfFile: "\(folder.path)/model/README.md", encoding: .utf8)
    #expect(!card.contains(folder.path) && card.contains("vllm serve model --max-model-len 1024"))
  }

  @Test func resultsOfOtherFilesAndHalfRunsStayOut() throws {
    let folder = try measured()
    func card(_ result: String) throws -> Program.Result {
      try run("card", "model", "--result", result, in: folder)
    }
    for (old, new, words) in [
      ("\"complete\": true", "\"complete\": false", "ended early"),
      ("\"shard\": null", "\"shard\": \"1/2\"", "missing"),
      ("\"factors\": null", "\"factors\": \"f.json\"", "other factors"),
    ] {
      try FileManager.default.copyItem(
        atPath: "\(folder.path)/result.json", toPath: "\(folder.path)/edited.json")
      try edit("edited.json", in: folder) { $0.replacingOccurrences(of: old, with: new) }
      let result = try card("edited.json")
      #expect(result.status == 3 && result.errors.contains(words), "\(old): \(result.errors)")
      try FileManager.default.removeItem(atPath: "\(folder.path)/edited.json")
    }
    try FileManager.default.removeItem(atPath: "\(folder.path)/model/generation_config.json")
    #expect(try card("result.json").errors.contains("generation_config.json was there"))
    try edit("model/tokenizer_config.json", in: folder) { $0 + "\n" }
    #expect(try card("result.json").status == 3)
    #expect(!FileSystem.exists("\(folder.path)/model/README.md"))
  }

  @Test func textsOfAResultMeanNothing() throws {
    let folder = try measured()
    try edit("result.json", in: folder) {
      $0.replacingOccurrences(
        of: "\"passkey_prompt\": \"longrope\"",
        with:
          "\"passkey_prompt\": \"\\u001b[31m<script>\\n<!-- lrpatch: end -->\\n::error::x ![p](https://evil)\""
      )
    }
    let report = try run(
      "report", "result.json", "--markdown", "r.md", "--html", "r.html", in: folder)
    #expect(
      report.status == 0 && !report.output.contains("\u{1B}")
        && !report.output.contains("\n::error"))
    for name in ["r.md", "r.html"] {
      let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
      // This text is an image in Markdown only.
      #expect(
        !text.contains("<script>") && (name == "r.html" || !text.contains("![p](")), "\(name)")
    }
    #expect(try run("card", "model", "--result", "result.json", in: folder).status == 0)
    #expect(try run("card", "model", "--result", "result.json", "--check", in: folder).status == 0)
  }

  @Test func sumsHoldForEveryName() throws {
    let folder = try measured()
    for name in ["a\r\nb", "a\nb", "a\\b", "nfc\u{E9}", "nfce\u{301}", "sub/x"] {
      try folder.write("model/\(name)", name)
    }
    #expect(try run("provenance", "model", in: folder).status == 0)
    #expect(try run("provenance", "model", "--check", in: folder).status == 0)
    #expect(try run("provenance", "model", in: folder).status == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
    process.arguments = ["-c", "--strict", "--quiet", "SHA256SUMS"]
    process.currentDirectoryURL = URL(fileURLWithPath: "\(folder.path)/model")
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    try FileManager.default.removeItem(atPath: "\(folder.path)/model/nfc\u{E9}")
    try edit("model/sub/x", in: folder) { $0 + "!" }
    try folder.write("model/new", "")
    let check = try run("provenance", "model", "--check", in: folder)
    #expect(
      check.status == 1 && check.output.contains("sub/x: differs")
        && check.output.contains("new: is not listed"))
    #expect(check.output.contains("nfc\u{E9}: is missing"))
  }

  /// The conformance checks hold such a bill to CycloneDX's own schema.
  @Test func aBillOfMaterialsListsFilesAndThePatch() throws {
    let folder = try measured()
    #expect(try run("provenance", "model", "--bom", in: folder).status == 0)
    #expect(try run("provenance", "model", "--check", in: folder).status == 0)
    let first = try text("model/model.cdx.json", in: folder)
    #expect(try run("provenance", "model", "--bom", in: folder).status == 0)
    #expect(try text("model/model.cdx.json", in: folder) == first)
    let bill = try JSONDocument(parsing: Array(first.utf8)).value
    let sums = try text("model/SHA256SUMS", in: folder).split(separator: "\n")
    #expect(bill["components"]?.elements?.count == sums.count && sums.count > 3)
    for line in sums {
      let (hash, name) = (line.prefix(64), line.dropFirst(66))
      #expect(
        bill["components"]?.elements?.contains {
          $0["name"]?.text == String(name)
            && $0["hashes"]?.elements?.first?["content"]?.text == String(hash)
        } == true, "\(name)")
    }
    let properties = bill["metadata"]?["component"]?["properties"]?.elements ?? []
    let names = properties.compactMap { $0["name"]?.text }
    #expect(
      ["original_window", "window", "mscale", "patch.factors_sha256"].allSatisfy {
        names.contains("lrpatch:\($0)")
      }, "\(names)")
    #expect(try run("provenance", "model", "--bom", "--check", in: folder).status == 2)
    try edit("model/model.cdx.json", in: folder) {
      $0.replacingOccurrences(of: "\"lrpatch\"", with: "\"another\"")
    }
    let other = try run("provenance", "model", "--bom", in: folder)
    #expect(other.status == 4 && other.errors.contains("was not written by lrpatch"))
  }

  @Test func sumsOfOthersAreLeftAlone() throws {
    let folder = try measured()
    try folder.write("model/SHA256SUMS", "\(String(repeating: "0", count: 64))  config.json\n")
    #expect(try run("provenance", "model", in: folder).status == 4)
    #expect(try run("provenance", "model", "-o", "", in: folder).status == 2)
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/model/in", withIntermediateDirectories: false)
    #expect(try run("provenance", "model", "-o", "model/in", in: folder).status == 4)
    try edit("model/SHA256SUMS", in: folder) { $0 + $0 }
    let check = try run("provenance", "model", "--check", in: folder)
    #expect(check.status == 3 && check.errors.contains("line 2: 'config.json' is listed twice"))
  }

  @Test func signaturesAreNamedBeforeAChange() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4-split", as: "m")
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/m").filter {
      $0.hasSuffix(".gguf")
    }
    .sorted()
    let (first, last) = (try #require(names.first), try #require(names.last))
    for name in ["model.sig", "\(last).asc", "other.gguf.sig"] {
      try folder.write("m/\(name)", "x")
    }
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    let apply = try run("apply", factors, "m/\(first)", in: folder)
    #expect(
      apply.status == 0 && apply.errors.contains("note: model.sig signs")
        && apply.errors.contains("\(last).asc"))
    #expect(!apply.errors.contains("other.gguf.sig"))
    let card = try run("card", "m/\(last)", in: folder)
    #expect(
      card.status == 0 && card.errors.contains("model.sig") && !card.errors.contains(".asc"),
      "\(card.errors)")
    // Any shard names the same model.
    #expect(try run("card", "m/\(first)", "--check", in: folder).status == 0)
  }

  @Test func savedGatesAreJudgedAgain() throws {
    let folder = try measured()
    let strict = try run(
      "verify", "model", "--lengths", "128", "--depths", "2", "--runtime", "vllm", "--task",
      "perplexity", "--require",
      "perplexity<=1", "-o", "failed.json", "-q", in: folder)
    #expect(strict.status == 1)
    #expect(try run("report", "failed.json", "-q", in: folder).status == 1)
    #expect(try run("report", "result.json", "failed.json", "-q", in: folder).status == 1)
    #expect(try run("report", "failed.json", "--no-gates", "-q", in: folder).status == 0)
    // A gate that cannot be read does not pass.
    try edit("failed.json", in: folder) {
      $0.replacingOccurrences(of: "perplexity<=1", with: "nothing<=1")
    }
    #expect(try run("report", "failed.json", "-q", in: folder).status == 3)
  }

  @Test func annotationsKeepToALine() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "m\r\n::error::x")
    let run = try run(
      "verify", "m\r\n::error::x", "--lengths", "512", "--depths", "1", "--runtime", "vllm", "-q",
      in: folder,
      ["GITHUB_ACTIONS": "true"])
    let lines = run.errors.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("::error") }
    #expect(
      run.status == 1 && lines.count == 1 && lines[0].contains("m%0D%0A::error::x"), "\(run.errors)"
    )
  }

  @Test func coloursComeAndGo() throws {
    let folder = try TemporaryDirectory()
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    let escape = "\u{1B}["
    let base = ["NO_COLOR": "", "CLICOLOR_FORCE": "", "LC_ALL": "C"]
    func shown(_ more: [String: String]) throws -> String {
      try run("factors", "show", factors, in: folder, base.merging(more) { $1 }).output
    }
    #expect(try !shown([:]).contains(escape) && shown(["CLICOLOR_FORCE": "1"]).contains(escape))
    #expect(try !shown(["CLICOLOR_FORCE": "1", "NO_COLOR": "1"]).contains(escape))
    #expect(try shown([:]).contains("####") && shown(["LC_ALL": "C.UTF-8"]).contains("████"))
  }
}
