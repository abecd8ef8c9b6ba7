import Formats
import Models
import Patch
import TestSupport
import Testing

@testable import Convert

/// Scalings of rotary embeddings other than LongRoPE, from folders to GGUF files and back.
@Suite("Conversion of RoPE scalings") struct ScalingConversionTests {
  private static func model(
    _ place: TemporaryDirectory, _ members: [JSONMember]
  ) throws -> String {
    var folder = try NeedleFolder()
    try folder.setScaling(.object(members))
    return try folder.write(to: place)
  }

  private static func yarn(_ more: [JSONMember] = []) -> [JSONMember] {
    [
      JSONMember("rope_type", .string("yarn")), JSONMember("factor", .number(4.0)),
      JSONMember("original_max_position_embeddings", .number(64)),
    ] + more
  }

  private static func readings(_ path: String) throws -> (intended: UsedTable, llamaCpp: UsedTable?)
  {
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    return (
      try #require(inspection.readings[0].long),
      inspection.readings.first { $0.name == "llama.cpp" }?.long
    )
  }

  private static func isSame(_ left: UsedTable?, _ right: UsedTable) -> Bool {
    guard let left, let found = left.inverseFrequencies, let wanted = right.inverseFrequencies
    else { return false }
    return abs(left.mscale - right.mscale) < 1e-6
      && zip(found, wanted).allSatisfy { abs($0 - $1) <= 1e-6 * $1 }
  }

  /// The file is what llama.cpp computes as transformers computes the folder.
  @Test(arguments: [
    [], [JSONMember("attention_factor", .number(1.25))],
    [JSONMember("mscale", .number(0.7)), JSONMember("mscale_all_dim", .number(1.0))],
    [JSONMember("beta_fast", .number(32)), JSONMember("beta_slow", .number(1))],
  ])
  func yarnIsTheSameBothWays(_ more: [JSONMember]) throws {
    let place = try TemporaryDirectory()
    let folder = try Self.model(place, Self.yarn(more))
    let wanted = try Self.readings(folder).intended
    #expect(wanted.name == "yarn" && wanted.mscale != 1)
    let (file, back) = ("\(place.path)/m.gguf", "\(place.path)/back")
    try ConvertTests.convert(folder, to: file) { $0.type = .bf16 }
    #expect(Self.isSame(try Self.readings(file).llamaCpp, wanted))
    try ConvertTests.convert(file, to: back)
    #expect(try snapshot(back)["config.json"] == snapshot(folder)["config.json"])
    // Without the preserved config, the keys alone say the same.
    let bare = "\(place.path)/bare.gguf"
    let keys = try GGUFFile(path: file).header.keys.map(\.name)
    try place.write(
      "bare.gguf",
      FileSystem.contents(of: file).replacing(
        Array("lrpatch.source.config".utf8), with: Array("lrpatch.origin.config".utf8)))
    #expect(keys.contains("lrpatch.source.config"))
    try ConvertTests.convert(bare, to: "\(place.path)/again")
    #expect(Self.isSame(try Self.readings("\(place.path)/again").intended, wanted))
  }

  @Test(arguments: [
    ([JSONMember("beta_slow", .number(4))], "beta_slow"),
    ([JSONMember("truncate", .bool(false))], "truncate"),
  ])
  func rampsThatLlamaCppDoesNotComputeAreRefused(_ more: [JSONMember], _ word: String) throws {
    let place = try TemporaryDirectory()
    let folder = try Self.model(place, Self.yarn(more))
    #expect {
      try ConvertTests.convert(folder, to: "\(place.path)/m.gguf")
    } throws: {
      "\($0)".contains(word)
    }
  }

  /// The window of Ministral 3's temperature stays, whatever the type of its scaling.
  @Test(arguments: ["default", "linear", "llama3", "yarn"])
  func theTemperatureKeepsItsWindow(_ type: String) throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder("architectures/ministral3")
    let old = try #require(folder.config.value["rope_parameters"]?.members)
    var members = old.filter { !["rope_type", "type"].contains($0.name) }
    members.append(JSONMember("rope_type", .string(type)))
    if type == "llama3" {
      members += [
        JSONMember("low_freq_factor", .number(1.0)), JSONMember("high_freq_factor", .number(4.0)),
      ]
    }
    try folder.set("rope_parameters", .object(members))
    let model = try folder.write(to: place)
    let tokens = (0..<200).map { 2 + $0 * 7 % 90 }
    let file = "\(place.path)/m.gguf"
    try ConvertTests.convert(model, to: file)
    let header = try GGUFFile(path: file).header
    #expect(header[key: "mistral3.rope.scaling.original_context_length"] == .uint32(64))
    // Without the preserved config, too.
    let bytes = try FileSystem.contents(of: file).replacing(
      Array("lrpatch.source.config".utf8), with: Array("lrpatch.origin.config".utf8))
    let bare = try place.write("bare.gguf", bytes)
    try ConvertTests.convert(bare, to: "\(place.path)/back")
    let wanted = try ConvertTests.scores(model, tokens)
    for path in [file, "\(place.path)/back"] {
      let scores = try ConvertTests.scores(path, tokens)
      #expect(zip(scores, wanted).allSatisfy { abs($0 - $1) < 1e-4 }, "\(type) \(path)")
    }
  }

  @Test(arguments: ["dynamic", "spiral"]) func otherTypesAreRefusedByName(_ type: String) throws {
    let place = try TemporaryDirectory()
    let folder = try Self.model(
      place, [JSONMember("rope_type", .string(type)), JSONMember("factor", .number(4.0))])
    #expect {
      try ConvertTests.convert(folder, to: "\(place.path)/m.gguf")
    } throws: {
      "\($0)".contains(type)
    }
  }

  /// An attention scale that a config of this scaling cannot express.
  @Test func attentionScalesWithoutYarnAreRefused() throws {
    let place = try TemporaryDirectory()
    let scale = GGUFKey("llama.rope.scaling.attn_factor", .float32(1.5))
    let path = try place.write(
      "scaled.gguf", EditedGGUF.bytes(of: ConvertTests.gguf, setting: [scale]))
    #expect {
      try ConvertTests.convert(path, to: "\(place.path)/out")
    } throws: {
      "\($0)".contains("attn_factor")
    }
  }
}
