import Formats
import Foundation
import TestSupport
import Testing

/// Compares what users see, word for word, with the files in Golden/: help, errors, results and
/// JSON documents.
///
/// `LRPATCH_RECORD=1` writes the files again; read the difference before you commit it.
@Suite("Golden texts") struct GoldenTextTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden").path
  private static let isRecording = ProcessInfo.processInfo.environment["LRPATCH_RECORD"] == "1"
  private static let plain = [
    "COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C", "GITHUB_ACTIONS": "",
  ]

  private static let commands = [
    "", "inspect", "lint", "apply", "revert", "convert", "verify", "ladder", "search", "mix",
    "report", "card", "certify", "provenance",
    "diff",
    "factors", "factors make", "factors show", "factors convert", "factors compare",
    "factors sensitivity",
  ]

  /// Compares a text with its file.
  private func expect(_ text: String, in name: String) throws {
    let path = "\(Self.folder)/\(name)"
    if Self.isRecording {
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOfFile: path, encoding: .utf8)
    guard text != golden else { return }
    let (new, old) = (text.split(separator: "\n"), golden.split(separator: "\n"))
    let index =
      zip(new, old).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      ?? min(new.count, old.count)
    Issue.record(
      "\(name), line \(index + 1): '\(new.indices.contains(index) ? new[index] : "")', expected '\(old.indices.contains(index) ? old[index] : "")'"
    )
  }

  private func run(_ line: String, in folder: TemporaryDirectory) throws -> Program.Result {
    try Program.run(
      line.split(separator: " ").map(String.init), in: folder.path, environment: Self.plain)
  }

  /// A folder with small models, factors, and broken files.
  private func workbench() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    for (old, new) in [
      ("models/needle-256-x4", "model"), ("models/needle-256-x4.gguf", "model.gguf"),
      ("models/needle-256-x4.factors.json", "factors.json"),
      ("factors/phi-3-mini-128k-instruct.json", "phi3.json"),
      ("text/moby-dick-opening.txt", "text.txt"),
    ] {
      try FileManager.default.copyItem(atPath: Fixture.path(old), toPath: "\(folder.path)/\(new)")
    }
    try folder.write("broken.json", "{\"long_factor\": [1, 2")
    try folder.write("broken.gguf", "GGUF\u{3}\0\0\0")
    try folder.write("nothing.txt", "")
    try folder.write("few.json", "{\"long_factor\": [1, 2], \"max_position_embeddings\": 1024}")
    let falling = (0..<16).map { "\(4 - 0.1 * Double($0))" }.joined(separator: ", ")
    try folder.write(
      "falling.json",
      """
      {"schema": "lrpatch.factors/1", "original_max_position_embeddings": 256,
      "max_position_embeddings": 1024, "long_factor": [\(falling)]}
      """)
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/empty", withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/link.gguf", withDestinationPath: "model.gguf")
    return folder
  }

  @Test func help() throws {
    let folder = try TemporaryDirectory()
    for command in Self.commands {
      let result = try run("\(command) --help", in: folder)
      #expect(result.status == 0 && result.errors.isEmpty, "\(command): \(result.errors)")
      try expect(
        result.output,
        in: "help/\(command.isEmpty ? "lrpatch" : command.replacing(" ", with: "-")).txt")
    }
  }

  /// The widest commands on narrow terminals.
  @Test(arguments: [40, 80]) func narrowHelp(_ columns: Int) throws {
    let folder = try TemporaryDirectory()
    for command in ["verify", "search", "report"] {
      let result = try Program.run(
        [command, "--help"], in: folder.path,
        environment: Self.plain.merging(["COLUMNS": "\(columns)"]) { $1 })
      let lines = result.output.split(separator: "\n")
      // A word that is wider than its column stands alone.
      let wide = lines.filter { $0.count > columns && $0.split(separator: " ").count > 1 }
      #expect(wide.isEmpty, "\(command)")
      try expect(result.output, in: "help/\(command)-\(columns).txt")
    }
  }

  @Test func manualPages() throws {
    let folder = try TemporaryDirectory()
    let dump = try folder.write("help.json", try run("--experimental-dump-help", in: folder).output)
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/man", withIntermediateDirectories: false)
    try python(
      "packaging/manual.py", ["0.1.0", "January 1, 2026", "\(folder.path)/man"], input: dump)
    let pages = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/man").sorted()
    #expect(pages.count == Self.commands.count)
    for page in pages {
      try expect(
        String(contentsOfFile: "\(folder.path)/man/\(page)", encoding: .utf8), in: "man/\(page)")
    }
  }

  @Test func errors() throws {
    let folder = try workbench()
    let lines = [
      "frobnicate", "inspect", "inspect nowhere", "inspect empty", "inspect broken.gguf",
      "inspect org/absent",
      "lint model --allow nothing", "lint model --junit text.txt",
      "apply broken.json model", "apply factors.json empty", "apply phi3.json model",
      "apply few.json model",
      "apply factors.json link.gguf", "apply factors.json model --target-length 128",
      "apply factors.json model -o empty",
      "apply factors.json model --check", "apply factors.json model --check --dry-run",
      "revert model",
      "revert model.gguf", "aply factors.json model", "factors mak", "apply model factors.json",
      "inspect factors.json",
      "inspect modle", "lint model --allow no-gguff", "verify model --runtime transformers",
      "verify model --require passkey>=95",
      "verify model --require passky>=0.9", "verify model --task passkye",
      "convert model -o new.gguf --type q4_k_m", "inspect .",
      "convert model -o model.gguf", "convert model -o new.gguf --type q9_9",
      "convert broken.gguf -o new",
      "verify model --lengths 12x", "verify model --require passkey", "verify model --task nothing",
      "verify model --runtime tensorrt", "verify model --lengths 16",
      "verify model --perplexity nothing.txt --lengths 256",
      "verify model --shard 3/2", "verify model -o text.txt --lengths 64", "verify broken.gguf",
      "search model --target-length 128 -o found.json", "search model -o found.json",
      "search model --target-length 1k -o factors.json",
      "search model --target-length 1k -o found.json --text nothing.txt",
      "mix nothing.txt --model model -o mixed --target-length 1k", "report", "report text.txt",
      "report factors.json",
      "ladder model.gguf", "ladder model.gguf --cache q8_0,f16", "certify model",
      "certify model --result factors.json", "certify --replay factors.json model",
      "report factors.json --sensitivity x",
      "card model", "card model --base-model nobody", "card model.gguf",
      "card patched.gguf --result factors.json", "provenance nowhere",
      "provenance model --check", "diff model factors.json", "factors show broken.json",
      "factors show nothing.txt",
      "factors make model --method pi --target-length 128",
      "factors make model --method magic --target-length 1k",
      "factors convert factors.json -o factors.json",
    ]
    #expect(try run("apply factors.json model.gguf -o patched.gguf", in: folder).status == 0)
    var text = ""
    for line in lines {
      let result = try run(line, in: folder)
      #expect(!result.wasKilled && result.status != 0, "\(line)")
      text += "$ lrpatch \(line)\n\(result.output)\(result.errors)[exit \(result.status)]\n\n"
    }
    try expect(text, in: "errors.txt")
    #expect(try run("lint model", in: folder).status == 0)
  }

  @Test func results() throws {
    let folder = try workbench()
    let lines = [
      "inspect model", "factors show factors.json", "apply falling.json model --dry-run",
      "factors make model --method yarn --target-length 1k",
      "apply factors.json model --dry-run", "apply factors.json model", "apply factors.json model",
      "lint model",
      "inspect model", "verify model --lengths 128,512 --depths 3 --runtime paper --runtime vllm",
      "diff model model",
      "provenance model", "provenance model --check", "revert model",
      "apply factors.json model.gguf --dry-run",
      "convert model -o new.gguf --type q8_0", "inspect new.gguf",
    ]
    var text = ""
    for line in lines {
      let result = try run(line, in: folder)
      #expect(!result.wasKilled && result.status <= 1, "\(line): \(result.errors)")
      text += "$ lrpatch \(line)\n\(result.output)\(result.errors)[exit \(result.status)]\n\n"
    }
    try expect(text, in: "results.txt")
  }

  // MARK: JSON

  /// Checks the document of every command: its shape, what does not depend on the processor, and
  /// its schema.
  @Test func documents() throws {
    let folder = try workbench()
    let lines = [
      ("inspect", "inspect model"), ("inspect-tensors", "inspect model.gguf --tensors"),
      ("lint", "lint model"),
      ("apply-plan", "apply factors.json model --dry-run"), ("apply", "apply factors.json model"),
      ("inspect-patched", "inspect model"), ("diff", "diff model model"),
      (
        "verify",
        "verify model --lengths 128,256 --depths 2 --runtime paper --perplexity text.txt --windows 1 -o saved.json"
      ),
      ("report", "report saved.json --require passkey>=0.5"),
      // Before the card, because its numbers differ between processors.
      ("provenance", "provenance model"), ("provenance-check", "provenance model --check"),
      ("certify", "certify model --result saved.json --no-card"),
      ("replay", "certify --replay model/certificate.intoto.json model --input text.txt"),
      ("card", "card model --result saved.json"), ("revert", "revert model"),
      ("convert", "convert model -o new.gguf --type q8_0"),
      ("factors", "factors show factors.json"),
      (
        "search",
        "search model --target-length 1k -o found.json --algorithm cma-es --evaluations 40 --documents 2 --log log.jsonl"
      ),
      ("comparison", "factors compare model none found.json --length 512 --documents 4"),
      (
        "ladder",
        "ladder model.gguf --cache f16,q4_0 --lengths 128 --windows 1 --depths 1 --samples 1 --prompts 1 --task fwe"
      ),
      ("mix", "mix text.txt --model model -o mixed --target-length 1k"),
    ]
    var paths: [String] = []
    for (name, line) in lines {
      let result = try run("\(line) --json -q", in: folder)
      #expect(
        result.status == 0 && result.errors.isEmpty, "\(line): \(result.status) \(result.errors)")
      paths.append(try folder.write("\(name).document.json", result.output))
      let value = try JSONDocument(parsing: Array(result.output.utf8)).value
      try expect(
        String(decoding: JSONStyle.standard.encode(Self.stable(value, "")), as: UTF8.self) + "\n",
        in: "json/\(name).json")
    }
    paths += ["found.json", "log.jsonl", "saved.json"].map { "\(folder.path)/\($0)" }
    try checkSchemas(paths)
  }

  /// The value without what differs between machines: fractions, which processors round
  /// differently, times and names.
  private static func stable(_ value: JSONValue, _ name: String) -> JSONValue {
    if ["began", "seconds"].contains(name) { return .string("a time") }
    switch value {
    case .number(let text):
      return text.contains { ".eE".contains($0) } ? .string("a number") : value
    case .array(let elements):
      // Of many numbers, two are enough.
      let few =
        elements.count > 6 && elements.allSatisfy { $0.double != nil }
        ? Array(elements.prefix(2)) : elements
      return .array(few.map { stable($0, name) })
    case .object(let members):
      return .object(members.map { JSONMember($0.name, stable($0.value, $0.name)) })
    case .string where ["system", "processor"].contains(name): return .string("a text")
    default: return value
    }
  }
}
