import Formats
import Foundation
import TestSupport
import Testing

/// What a user can do about a model that was edited after its patch.
@Suite("Ways out") struct WaysOutTests {
  @Test func revertKeepsLaterEdits() throws {
    let folder = try TemporaryDirectory.workbench()
    let path = "\(folder.path)/model/config.json"
    let before = try JSONDocument(path: path).value
    #expect(try Program.run(["apply", "factors.json", "model"], in: folder.path).status == 0)
    var edited = try JSONDocument(path: path)
    try edited.set(["use_cache"], to: .bool(false))
    try folder.write("model/config.json", edited.bytes)
    let refused = try Program.run(["revert", "model"], in: folder.path)
    #expect(refused.status == 4 && refused.errors.contains("--keep-edits"))
    #expect(!refused.errors.contains("--force") && !refused.errors.contains("-o"))
    #expect(try Program.run(["revert", "model", "--keep-edits"], in: folder.path).status == 0)
    var expected = try JSONDocument(parsing: JSONStyle.standard.encode(before))
    try expected.set(["use_cache"], to: .bool(false))
    #expect(try JSONDocument(path: path).value == expected.value)
  }

  @Test func editsOfThePatchItselfAreNotUndone() throws {
    let folder = try TemporaryDirectory.workbench()
    #expect(try Program.run(["apply", "factors.json", "model"], in: folder.path).status == 0)
    var edited = try JSONDocument(path: "\(folder.path)/model/config.json")
    try edited.set(["max_position_embeddings"], to: .number(2048))
    try folder.write("model/config.json", edited.bytes)
    let result = try Program.run(["revert", "model", "--keep-edits"], in: folder.path)
    #expect(
      result.status == 4 && result.errors.contains("'max_position_embeddings' to 1024"),
      "\(result.errors)")
  }

  /// A value that was overwritten in place is kept, wherever it stands; one of the patch is not.
  @Test(arguments: ["general.name", "tokenizer.ggml.eos_token_id", "llama.context_length"])
  func revertKeepsLaterEditsOfAGGUF(name: String) throws {
    let folder = try TemporaryDirectory.workbench()
    let path = "\(folder.path)/model.gguf"
    let before = try FileSystem.contents(of: path)
    #expect(try Program.run(["apply", "factors.json", "model.gguf"], in: folder.path).status == 0)
    let patched = try FileSystem.contents(of: path)
    func edited(_ bytes: [UInt8]) throws -> [UInt8] {
      let header = try GGUFHeader(parsing: bytes.rawSpan, requireData: false)
      let key = try #require(header.keys.first { $0.name == name })
      var result = bytes
      result[key.range.upperBound - 4] ^= 1
      return result
    }
    try folder.write("model.gguf", try edited(patched))
    let refused = try Program.run(["revert", "model.gguf"], in: folder.path)
    #expect(refused.status == 4 && refused.errors.contains("'\(name)' was changed"))
    #expect(
      try Program.run(["lint", "model.gguf"], in: folder.path).output.contains("edited-since"))
    let result = try Program.run(["revert", "model.gguf", "--keep-edits"], in: folder.path)
    if name == "llama.context_length" {
      #expect(!refused.errors.contains("--keep-edits"), "\(refused.errors)")
      #expect(result.status == 4 && result.errors.contains("changed '\(name)'"))
      #expect(try FileSystem.contents(of: path) == edited(patched))
    } else {
      #expect(refused.errors.contains("--keep-edits") && result.status == 0, "\(result.errors)")
      #expect(try FileSystem.contents(of: path) == edited(before))
    }
  }
}
