import Formats
import Foundation
import TestSupport
import Testing

/// Malicious or damaged files in a model or next to it.
@Suite("Hostile files") struct HostileFilesTests {
  static let factors = Fixture.path("models/needle-256-x4.factors.json")

  @Test(arguments: [
    #"{"name":"../victim","action":{"contents":{"old":"AAAA"}}}"#,
    #"{"name":"../victim","action":{"contents":{}}}"#,
    #"{"name":"model.safetensors","action":{"contents":{}}}"#,
    #"{"name":".lrpatch/../../victim","action":{"contents":{}}}"#,
  ])
  func aJournalReachesNothingButTheModelsOwnFiles(_ entry: String) throws {
    let folder = try TemporaryDirectory()
    try folder.write("victim", "precious")
    let model = try folder.copy("models/needle-256-x4", as: "m")
    let text = "{\"files\":[\(entry)],\"isCommitted\":false,\"schema\":\"lrpatch.journal/1\"}"
    let before = try snapshot(folder.path)
    // With a correct checksum, and without one.
    for ending in ["\n\(sha256(Array(text.utf8)))\n", ""] {
      try folder.write("m/.lrpatch-journal", text + ending)
      #expect([3, 4].contains(try Program.run(["inspect", model]).status))
      try FileManager.default.removeItem(atPath: "\(model)/.lrpatch-journal")
      #expect(try snapshot(folder.path) == before)
    }
  }

  @Test func keepsFilesOfOthersWithSimilarNames() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf", as: "m.gguf")
    let names = [
      ".m.gguf.lrpatch-backup", ".m.gguf.lrpatch-dir/precious", ".m.gguf.lrpatch-tmp-x/precious",
    ]
    for name in names { try folder.write(name, "mine") }
    #expect(try Program.run(["apply", Self.factors, model]).status == 0)
    for name in names { #expect(FileSystem.exists("\(folder.path)/\(name)")) }
  }

  /// Whichever bit of a record is wrong, a revert either restores the original bytes or refuses.
  @Test func neverRestoresFromADamagedRecord() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m")
    let original = try FileSystem.contents(of: "\(model)/config.json")
    #expect(try Program.run(["apply", Self.factors, model]).status == 0)
    let patched = try FileSystem.contents(of: "\(model)/config.json")
    let record = try FileSystem.contents(of: "\(model)/.lrpatch/0001.undo")
    for place in stride(from: 0, to: record.count, by: max(1, record.count / 60)) {
      var damaged = record
      damaged[place] ^= 0x10
      try folder.write("m/.lrpatch/0001.undo", damaged)
      let result = try Program.run(["revert", model])
      let now = try FileSystem.contents(of: "\(model)/config.json")
      #expect(result.status == 0 ? now == original : now == patched, "byte \(place)")
      guard result.status != 0 else { return }
    }
  }

  @Test func neverRestoresFromADamagedRecordInAFile() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf", as: "m.gguf")
    #expect(try Program.run(["apply", Self.factors, model]).status == 0)
    let patched = try FileSystem.contents(of: model)
    let key = try #require(GGUFFile(path: model).header.keys.first { $0.name == "lrpatch.undo" })
    for place in stride(
      from: key.range.upperBound - 1, to: key.valueOffset + 12, by: -max(1, key.range.count / 60))
    {
      var damaged = patched
      damaged[place] ^= 0x04
      try folder.write("m.gguf", damaged)
      #expect([3, 4].contains(try Program.run(["revert", model]).status), "byte \(place)")
      #expect(try FileSystem.contents(of: model) == damaged)
    }
  }

  @Test(arguments: [Float.nan, .infinity, 0, -1, 1e30]) func refusesImpossibleNumbersInAFile(
    _ value: Float
  ) throws {
    let folder = try TemporaryDirectory()
    let tables = GGUFBuilder.llama(window: 1024).key("llama.rope.scaling.type", "longrope")
      .key("llama.rope.scaling.original_context_length", 256 as UInt32)
    let ones = Array(repeating: Float(1), count: 16)
    let factor = tables.key("llama.rope.scaling.attn_factor", 1 as Float)
      .floats("rope_factors_long.weight", [value] + ones.dropFirst()).floats(
        "rope_factors_short.weight", ones)
    let mscale = tables.key("llama.rope.scaling.attn_factor", value).floats(
      "rope_factors_long.weight", ones
    )
    .floats("rope_factors_short.weight", ones)
    for builder in [factor, mscale] {
      let model = try folder.write("m.gguf", builder.bytes)
      #expect(try Program.run(["inspect", model, "--json"]).status == 3)
      #expect(try Program.run(["factors", "show", model, "--json"]).status == 3)
      #expect(try Program.run(["lint", model]).status == 1)
    }
  }

  @Test func refusesDataThatNoTensorListNames() throws {
    let folder = try TemporaryDirectory()
    var bytes = try Fixture.bytes("models/needle-256-x4.gguf")
    for place in 8..<16 { bytes[place] = 0 }
    let model = try folder.write("m.gguf", bytes)
    #expect(try Program.run(["apply", Self.factors, model]).status == 3)
  }

  @Test func writesNoCopyIntoTheModelItself() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m")
    #expect(try Program.run(["apply", Self.factors, ".", "-o", "copy"], in: model).status == 4)
    #expect(
      try Program.run(["apply", Self.factors, "m", "-o", "m/copy"], in: folder.path).status == 4)
    #expect(try FileSystem.names(in: model).contains("copy") == false)
  }

  @Test func writesThroughNoLinkedRecordFolder() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m")
    try folder.write("elsewhere/.keep", "")
    try FileManager.default.createSymbolicLink(
      atPath: "\(model)/.lrpatch", withDestinationPath: "\(folder.path)/elsewhere")
    #expect(try Program.run(["apply", Self.factors, model]).status == 4)
    #expect(try FileSystem.names(in: "\(folder.path)/elsewhere") == [".keep"])
  }

  @Test func tellsThatItsOutputWasLost() throws {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = [
      "-c", "\"$0\" inspect \"$1\" > /dev/full", Program.path,
      Fixture.path("models/needle-256.gguf"),
    ]
    shell.standardError = FileHandle.nullDevice
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 5)
  }

  @Test func refusesAnMscaleThatNoFloatHolds() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf", as: "m.gguf")
    for mscale in ["1e39", "1e-50", "0", "-1"] {
      try folder.write("f.json", ModelBuilder.factors(pairs: 16, mscale: mscale))
      #expect(try Program.run(["apply", "\(folder.path)/f.json", model]).status == 3)
    }
    #expect(try FileSystem.contents(of: model) == Fixture.bytes("models/needle-256-x4.gguf"))
  }

  /// If a converter left the original window out of a file, it must be given on the command line.
  @Test func mendsAFileWithoutAnOriginalWindow() throws {
    let folder = try TemporaryDirectory()
    let values = (0..<16).map { Float(1 + $0) }
    let model = try folder.write(
      "m.gguf",
      GGUFBuilder.llama(window: 1024).key("llama.rope.scaling.type", "longrope")
        .floats("rope_factors_long.weight", values).floats("rope_factors_short.weight", values)
        .bytes)
    #expect(try Program.run(["lint", model]).status == 1)
    #expect(try Program.run(["apply", model, model]).status == 3)
    #expect(try Program.run(["apply", model, model, "--original-length", "256"]).status == 0)
    // The file has no weights.
    #expect(try Program.run(["lint", model, "--allow", "cannot-be-run"]).status == 0)
  }
}
