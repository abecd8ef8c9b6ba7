import Foundation
import TestSupport
import Testing

/// Models whose files are made to take time or memory: every command answers soon.
@Suite("Hostile sizes") struct HostileSizesTests {
  private static let commands = [
    ["inspect"], ["lint"], ["verify", "--no-progress"],
    ["convert", "-o", "out.gguf", "--no-progress"],
    ["apply", Fixture.path("architectures/llama.factors.json")],
  ]

  private func requireAnswers(
    about model: String, in folder: TemporaryDirectory, saying message: String,
    except tolerant: Set<String> = []
  ) throws {
    for command in Self.commands {
      let start = ContinuousClock.now
      let arguments = command + [model]
      let result = try Program.run(arguments, in: folder.path)
      #expect(ContinuousClock.now - start < .seconds(10) && !result.wasKilled, "\(arguments)")
      if tolerant.contains(command[0]) { continue }
      #expect([1, 3].contains(result.status), "\(arguments): \(result.errors)")
      #expect((result.output + result.errors).contains(message), "\(arguments): \(result.errors)")
    }
  }

  @Test(arguments: ["{\"a\":", "["]) func aConfigOfDepth100000(_ opening: String) throws {
    let folder = try TemporaryDirectory()
    try folder.copy("architectures/llama", as: "m")
    let closing = opening == "[" ? "]" : "}"
    let depth = 100_000
    let text =
      String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
    try folder.write("m/config.json", text)
    try requireAnswers(about: "m", in: folder, saying: "nested deeper than 64")
  }

  @Test func aChatTemplateOf100Megabytes() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("architectures/llama", as: "m")
    // Without data on the disk: zeros are no JSON, but the size comes first.
    let path = "\(model)/tokenizer_config.json"
    truncate(path, 100_000_000)
    try requireAnswers(about: "m", in: folder, saying: "too large")
    try folder.copy("architectures/llama/tokenizer_config.json", as: "m/again.json")
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: "\(model)/again.json", toPath: path)
    try folder.write("m/chat_template.jinja", "")
    truncate("\(model)/chat_template.jinja", 100_000_000)
    try requireAnswers(
      about: "m", in: folder, saying: "too large", except: ["inspect", "lint", "apply", "verify"])
  }

  @Test func aTokenizerBeyondTheLimit() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("architectures/llama", as: "m")
    truncate("\(model)/tokenizer.json", (64 << 20) + 1)
    try requireAnswers(
      about: "m", in: folder, saying: "too large", except: ["inspect", "apply"])
  }

  /// The second shard is the first one again; and a set of as many shards as its name can say.
  @Test func aSplitSetThatNamesItself() throws {
    let folder = try TemporaryDirectory()
    func shard(of count: UInt32) -> [UInt8] {
      GGUFBuilder.llama().key("split.no", 0 as UInt32).key("split.count", count)
        .key("split.tensors.count", 0 as UInt32).bytes
    }
    try folder.write("m-00001-of-00002.gguf", shard(of: 2))
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/m-00002-of-00002.gguf", withDestinationPath: "m-00001-of-00002.gguf")
    try requireAnswers(about: "m-00001-of-00002.gguf", in: folder, saying: "split.no")
    try folder.write("n-00001-of-99999.gguf", shard(of: 99_999))
    try requireAnswers(about: "n-00001-of-99999.gguf", in: folder, saying: "shard")
  }
}
