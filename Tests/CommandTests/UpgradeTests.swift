import Formats
import Foundation
import TestSupport
import Testing

/// Models that earlier versions patched, and documents that they saved.
@Suite("Upgrades") struct UpgradeTests {
  static let versions = (try? FileSystem.names(in: Fixture.path("patched"))) ?? []
  static let models = ["folder", "model.gguf", "split-00001-of-00002.gguf"]

  private func workbench(_ version: String) throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    for name in try FileSystem.names(in: Fixture.path("patched/\(version)")) {
      try folder.copy("patched/\(version)/\(name)")
    }
    try folder.copy("architectures/llama.factors.json", as: "factors.json")
    return folder
  }

  @Test func modelsOfAVersionAreThere() { #expect(!Self.versions.isEmpty) }

  @Test(arguments: versions, models) func checksRevertsAndPatchesAgain(
    _ version: String, _ model: String
  ) throws {
    let folder = try workbench(version)
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(arguments, in: folder.path)
    }
    let inspected = try run("inspect", model, "--json")
    #expect(inspected.status == 0 && inspected.output.contains("\"\(version)\""))
    #expect(try run("apply", "factors.json", model, "--check").status == 0)
    #expect(try run("revert", model).status == 0)
    #expect(try run("apply", "factors.json", model, "--check").status == 1)
    #expect(try run("revert", model, "--all").status == 0)
    try requireOriginals(of: model, in: folder)
    #expect(try run("apply", "factors.json", model).status == 0)
    #expect(try run("apply", "factors.json", model, "--check").status == 0)
    #expect(try run("revert", model).status == 0)
    try requireOriginals(of: model, in: folder)
  }

  private func requireOriginals(of model: String, in folder: TemporaryDirectory) throws {
    let list = try String(contentsOfFile: "\(folder.path)/originals.sha256", encoding: .utf8)
    let stem = model.split(separator: "-")[0]
    let lines = list.split(separator: "\n").filter { $0.dropFirst(66).hasPrefix(stem) }
    #expect(!lines.isEmpty)
    for line in lines {
      let bytes = try FileSystem.contents(of: "\(folder.path)/\(line.dropFirst(66))")
      #expect(sha256(bytes) == line.prefix(64), "\(line)")
    }
  }

  @Test(arguments: versions) func readsSavedDocuments(_ version: String) throws {
    let folder = try workbench(version)
    let report = try Program.run(
      ["report", "result.json", "--no-gates", "--json"], in: folder.path)
    #expect(report.status == 0 && report.output.contains("perplexities"), "\(report.errors)")
    #expect(try Program.run(["factors", "show", "found.json"], in: folder.path).status == 0)
    let model = Fixture.path("models/needle-256-x4")
    let resumed = try Program.run(
      ["search", model, "--resume", "search.checkpoint", "-o", "new.json", "--no-progress"],
      in: folder.path)
    #expect(resumed.status == 0, "\(resumed.errors)")
  }
}
