import Formats
import Foundation
import TestSupport
import Testing

/// Runs `mix` as a process, on the trained fixture model.
@Suite("The mix command") struct MixCommandTests {
  private static let model = SearchCommandTests.model
  private static let text = SearchCommandTests.text

  @Test func mixesTrainingData() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      "short.jsonl", (0..<40).map { "{\"text\": \"Number \($0) is a short document.\"}\n" }.joined()
    )
    let arguments = [
      "mix", Self.text, "short.jsonl", "--model", Self.model, "--target-length", "1024", "-o",
      "mixed",
    ]
    let result = try Program.run(arguments, in: folder.path)
    #expect(result.status == 0 && result.output.contains("train.py"), "\(result.errors)")
    let description = try JSONDocument(path: "\(folder.path)/mixed/mix.json").value
    #expect(
      description["schema"]?.text == "lrpatch.mix/1" && description["window"]?.integer == 1024)
    let file = try SafetensorsFile(path: "\(folder.path)/mixed/mix-00000.safetensors")
    let rows = try #require(description["rows"])
    let count = try #require(rows["short"]?.integer) + #require(rows["long"]?.integer)
    #expect(
      Set(file.header.tensors.map { "\($0.name) \($0.dtype.name) \($0.shape)" }) == [
        "input_ids I32 [\(count), 1024]", "position_ids I32 [\(count), 1024]", "kind U8 [\(count)]",
      ])
    #expect(FileSystem.exists("\(folder.path)/mixed/train.py"))
    // Rows that skip positions are as long as the original window.
    let skipping = arguments.dropLast() + ["skipping", "--positions", "longrecipe", "--json"]
    let second = try Program.run(Array(skipping), in: folder.path)
    let made = try JSONDocument(parsing: Array(second.output.utf8)).value
    #expect(made["row_tokens"]?.integer == 256 && made["positions"]?.text == "longrecipe")
    #expect(try Program.run(arguments, in: folder.path).status == 4)
    let wrong = try Program.run(
      ["mix", Self.text, "--model", Self.model, "-o", "x"], in: folder.path)
    #expect(wrong.status == 3 && wrong.errors.contains("does not exceed"))
  }
}
