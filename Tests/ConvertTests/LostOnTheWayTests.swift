import Formats
import Foundation
import Models
import TestSupport
import Testing

@testable import Convert
@testable import Inference

/// Models of which the other format could not say everything, and such that come close.
@Suite("Conversions that would lose something") struct LostOnTheWayTests {
  private static func scores(_ path: String) throws -> [Double] {
    try ConvertTests.scores(path, Array(2..<14))
  }

  private func expectRefusal(_ model: String, to output: String, _ word: String) throws {
    do {
      try ConvertTests.convert(model, to: output)
      Issue.record("converted, expected an error about \(word)")
    } catch {
      #expect("\(error)".contains(word), "\(error)")
    }
  }

  @Test(arguments: [
    ("end_of_word_suffix", JSONValue.string("</w>")),
    ("continuing_subword_prefix", .string("##")), ("dropout", .number(0.5)),
  ]) func tokenizersThatVerifyRefusesAreNotConverted(_ name: String, _ value: JSONValue) throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    var tokenizer = try JSONDocument(parsing: #require(folder.files["tokenizer.json"]))
    try tokenizer.set(["model", name], to: value)
    folder.files["tokenizer.json"] = tokenizer.bytes
    try expectRefusal(folder.write(to: place), to: "\(place.path)/out.gguf", name)
  }

  @Test func basesThatTransformersDoesNotReadAreNotConverted() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    try folder.config.remove(["rope_theta"])
    try folder.set("rope_scaling", .object(["rope_type": .string("default")]))
    try folder.set(
      "rope_parameters",
      .object(["rope_type": .string("default"), "rope_theta": .number(500.0)]))
    try expectRefusal(folder.write(to: place), to: "\(place.path)/out.gguf", "rope_theta")
  }

  @Test func aStringForANumberIsNotDropped() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    try folder.setScaling(
      .object([
        "rope_type": .string("yarn"), "factor": .number(4.0),
        "original_max_position_embeddings": .number(64), "attention_factor": .string("1.0"),
      ]))
    try expectRefusal(folder.write(to: place), to: "\(place.path)/out.gguf", "attention_factor")
  }

  /// llama.cpp computes these files, but no config says the same.
  @Test(arguments: [
    (
      "llama3-scaling",
      [
        GGUFKey("llama.rope.scaling.type", .string("linear")),
        GGUFKey("llama.rope.scaling.factor", .float32(2)),
      ], "rope_freqs.weight"
    ),
    (
      "phi3",
      [
        GGUFKey("phi3.rope.scaling.type", .string("yarn")),
        GGUFKey("phi3.rope.scaling.factor", .float32(4)),
      ], "phi3"
    ),
    ("minicpm", [GGUFKey("minicpm.logit_scale", .float32(0))], "minicpm.logit_scale"),
  ])
  func filesThatNoConfigExpressesAreRefused(
    _ name: String, _ keys: [GGUFKey], _ word: String
  ) throws {
    let place = try TemporaryDirectory()
    let base = Fixture.path("architectures/\(name).gguf")
    let path = try place.write("m.gguf", EditedGGUF.bytes(of: base, setting: keys))
    try expectRefusal(path, to: "\(place.path)/out", word)
  }

  /// As in llama.cpp, a factor of 0 is none.
  @Test(arguments: ["linear", "yarn"]) func aFactorOfZeroIsNone(_ type: String) throws {
    let place = try TemporaryDirectory()
    let keys = [
      GGUFKey("llama.rope.scaling.type", .string(type)),
      GGUFKey("llama.rope.scaling.factor", .float32(0)),
    ]
    let base = Fixture.path("architectures/llama.gguf")
    let path = try place.write("m.gguf", EditedGGUF.bytes(of: base, setting: keys))
    try ConvertTests.convert(path, to: "\(place.path)/out")
    #expect(try Self.scores(path) == Self.scores(base))
    let folder = try ModelFolder(path: "\(place.path)/out")
    #expect(folder.geometry.scalingType == "default")
  }

  /// A config turns the biases of all projections on together, so the others become zeros.
  @Test func biasesComeBackWithTheirConfig() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    try folder.set("attention_bias", .bool(true))
    for tensor in folder.tensors where tensor.name.contains("self_attn") {
      let bytes = (0..<2 * tensor.shape[0]).map { UInt8($0 % 2 == 0 ? 0 : 0x3D) }
      folder.tensors.append(
        .init(
          name: tensor.name.replacing(".weight", with: ".bias"), type: tensor.type,
          shape: [tensor.shape[0]], bytes: bytes))
    }
    let model = try folder.write(to: place)
    let file = "\(place.path)/m.gguf"
    try ConvertTests.convert(model, to: file)
    try ConvertTests.convert(file, to: "\(place.path)/back")
    let scores = try [model, file, "\(place.path)/back"].map { try Self.scores($0) }
    for other in scores.dropFirst() {
      #expect(zip(scores[0], other).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    #expect(scores[0] != (try Self.scores(Fixture.path("models/needle-256"))))
  }
}
