import Formats
import Foundation
import TestSupport
import Testing

@Suite("Commands") struct CommandTests {
  static let factors = Fixture.path("models/needle-256-x4.factors.json")

  @Test func appliesChecksAndRevertsWithItsExitCodes() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4")
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(arguments, in: folder.path)
    }
    let before = try snapshot(folder.path)
    #expect(try run("apply", Self.factors, "needle-256-x4", "--check").status == 1)
    let dry = try run("apply", Self.factors, "needle-256-x4", "--dry-run")
    #expect(dry.status == 0 && dry.output.contains("+max_position_embeddings: 1024"))
    #expect(try snapshot(folder.path) == before)
    #expect(try run("apply", Self.factors, "needle-256-x4").output.contains("--max-model-len 1024"))
    #expect(try run("apply", Self.factors, "needle-256-x4", "--check").status == 0)
    #expect(try run("apply", Self.factors, "needle-256-x4").output.contains("already applied"))
    #expect(try run("lint", "needle-256-x4").status == 0)
    #expect(try run("diff", "needle-256-x4", Fixture.path("models/needle-256-x4")).status == 1)
    #expect(try run("revert", "needle-256-x4").status == 0)
    #expect(try run("diff", "needle-256-x4", Fixture.path("models/needle-256-x4")).status == 0)
    #expect(try snapshot(folder.path) == before)
    #expect(try run("revert", "needle-256-x4").status == 3)
  }

  @Test func usesTheExitCodesOfItsContract() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256.gguf")
    func status(_ arguments: String...) throws -> Int32 {
      try Program.run(arguments, in: folder.path).status
    }
    #expect(try status("--help") == 0)
    #expect(try status("--version") == 0)
    #expect(try status("nonsense") == 2)
    #expect(try status("apply") == 2)
    #expect(try status("lint", "needle-256.gguf", "--allow", "no-such-rule") == 2)
    #expect(try status("inspect", "missing.gguf") == 5)
    try folder.write("broken.gguf", "GGUF")
    #expect(try status("inspect", "broken.gguf") == 3)
    try FileSystem.hardLink("\(folder.path)/needle-256.gguf", to: "\(folder.path)/second.gguf")
    #expect(try status("apply", Self.factors, "needle-256.gguf") == 4)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/link.gguf", withDestinationPath: "needle-256.gguf")
    #expect(try status("apply", Self.factors, "link.gguf") == 4)
    #expect(try status("apply", Self.factors, "needle-256.gguf", "-o", "second.gguf") == 4)
    #expect(try status("apply", Self.factors, "needle-256.gguf", "-o", "new.gguf") == 0)
    #expect(try status("lint", "new.gguf") == 0)
  }

  @Test func printsNothingButOneDocumentForJSON() throws {
    let model = Fixture.path("models/needle-256-x4")
    for arguments in [
      ["inspect", model], ["inspect", model, "--tensors"], ["lint", model], ["diff", model, model],
      ["apply", Self.factors, model, "--dry-run"], ["factors", "show", Self.factors],
      ["inspect", Fixture.path("gguf/every-type.gguf"), "--tensors"],
    ] {
      let result = try Program.run(arguments + ["--json"])
      let document = try JSONDocument(parsing: Array(result.output.utf8))
      #expect(document.value["schema"]?.text?.hasPrefix("lrpatch.") == true, "\(arguments)")
    }
  }

  @Test func twoAtOnceLoseNothing() async throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 0..<4 { group.addTask { try Program.run(["apply", Self.factors, model]).status } }
      return try await group.reduce(into: [Int32]()) { $0.append($1) }
    }
    #expect(statuses.contains(0) && statuses.allSatisfy { [0, 4].contains($0) })
    #expect(try Program.run(["apply", "--check", Self.factors, model]).status == 0)
    #expect(try Program.run(["revert", model]).status == 0)
    #expect(try FileSystem.contents(of: model) == Fixture.bytes("models/needle-256-x4.gguf"))
  }

  @Test func rejectsAHostileUndoRecord() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4")
    let record = """
      {"schema":"lrpatch.undo/1","version":"x","factorsSHA256":"","files":[{"name":"../../victim","before":"AA==","after":"AA=="}]}
      """
    try folder.write("needle-256-x4/.lrpatch/0001.undo", Zstd.compress(Array(record.utf8)))
    #expect(try Program.run(["revert", model]).status == 3)
    try folder.write("needle-256-x4/.lrpatch/0001.undo", [1, 2, 3])
    #expect(try Program.run(["revert", model]).status == 3)
  }

  /// A cache laid out as huggingface_hub does: links into blobs.
  @Test func findsModelsByTheirNamesInTheHubCache() throws {
    let folder = try TemporaryDirectory()
    let hash = "0123456789abcdef0123456789abcdef01234567"
    let repository = "hub/models--org--needle"
    for name in try FileSystem.names(in: Fixture.path("models/needle-256-x4")) {
      try folder.write(
        "\(repository)/blobs/\(name)",
        FileSystem.contents(of: Fixture.path("models/needle-256-x4/\(name)")))
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(repository)/snapshots/\(hash)", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/\(repository)/snapshots/\(hash)/\(name)",
        withDestinationPath: "../../blobs/\(name)")
    }
    try folder.write("\(repository)/refs/main", hash)
    func run(_ arguments: String..., environment: [String: String]? = nil) throws -> Program.Result
    {
      try Program.run(
        arguments, in: folder.path,
        environment: environment ?? ["HF_HUB_CACHE": "\(folder.path)/hub"])
    }
    for name in ["org/needle", "org/needle@main", "org/needle@\(hash)", "org/needle@0123456"] {
      #expect(try run("inspect", name, "--json").status == 0, "\(name)")
    }
    #expect(
      try run("inspect", "org/needle", environment: ["HF_HUB_CACHE": "", "HF_HOME": folder.path])
        .status == 0)
    #expect(try run("inspect", "org/needle@other").status == 5)
    #expect(try run("inspect", "org/missing").status == 5)
    #expect(try run("inspect", "org/../needle").status == 5)
    // A cache is shared, so it must not be written.
    let before = try snapshot("\(folder.path)/hub")
    #expect(try run("apply", Self.factors, "org/needle").status == 4)
    #expect(try run("apply", Self.factors, "org/needle", "-o", "patched").status == 0)
    #expect(try run("convert", "org/needle", "-o", "n.gguf", "-q").status == 0)
    #expect(try snapshot("\(folder.path)/hub") == before)
    #expect(try run("lint", "patched", "-q").status == 0)
  }
}
