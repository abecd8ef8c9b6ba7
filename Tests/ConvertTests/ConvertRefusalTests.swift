import Formats
import Foundation
import Models
import Numerics
import Patch
import TestSupport
import Testing

@testable import Convert
@testable import Inference

/// What is not converted: the error names it, and nothing is left behind.
@Suite("Refused conversions") struct ConvertRefusalTests {
  /// Expects a refused conversion that leaves nothing behind.
  private func expectRefusal(
    of model: String, in place: TemporaryDirectory, to name: String = "out", _ words: String...,
    change: (inout ConversionOptions) throws -> Void = { _ in }
  ) throws {
    let before = try snapshot(place.path)
    do {
      try ConvertTests.convert(model, to: "\(place.path)/\(name)", change)
      Issue.record("converted")
    } catch {
      for word in words { #expect("\(error)".contains(word), "\(error)") }
    }
    #expect(try snapshot(place.path) == before)
  }

  @Test(arguments: ["outside", "missing", "twice", "unlisted"]) func hostileIndexFilesAreRefused(
    _ what: String
  ) throws {
    let place = try TemporaryDirectory()
    try ConvertTests.convert(ConvertTests.folder, to: "\(place.path)/m") {
      $0.maximumShardBytes = 700_000
    }
    let name = "model.safetensors.index.json"
    let index = try #require(
      String(bytes: FileSystem.contents(of: "\(place.path)/m/\(name)"), encoding: .utf8))
    let second = "model-00002-of-00003.safetensors"
    switch what {
    case "outside":
      try FileManager.default.moveItem(
        atPath: "\(place.path)/m/\(second)", toPath: "\(place.path)/\(second)")
      try place.write("m/\(name)", index.replacing(second, with: "../\(second)"))
    case "missing": try FileManager.default.removeItem(atPath: "\(place.path)/m/\(second)")
    case "twice":
      try FileManager.default.copyItem(
        atPath: "\(place.path)/m/\(second)",
        toPath: "\(place.path)/m/model-00004-of-00003.safetensors")
      try place.write(
        "m/\(name)",
        index.replacing(
          "\"weight_map\": {", with: "\"weight_map\": {\"x\": \"model-00004-of-00003.safetensors\","
        ))
    default:
      try place.write("m/\(name)", index.replacing("model.norm.weight", with: "model.other.weight"))
    }
    for output in ["out", "out.gguf"] {
      try expectRefusal(of: "\(place.path)/m", in: place, to: output)
    }
  }

  @Test func takenPathsAreRefused() throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    try place.write("out.gguf", "mine")
    try place.write("out/file", "mine")
    for name in ["out", "out.gguf", "m", "m/new.gguf", "m/deeper"] {
      try expectRefusal(
        of: model, in: place, to: name, name.hasPrefix("m/") ? "inside the model" : "already exists"
      )
    }
    // The path that a shard would get.
    try place.write("split-00002-of-00003.gguf", "mine")
    try expectRefusal(of: model, in: place, to: "split.gguf", "already exists") {
      $0.maximumShardBytes = 700_000
    }
  }

  @Test func whatATypeCannotStoreIsNamed() throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    var bytes = try FileSystem.contents(of: "\(model)/model.safetensors")
    let header = try SafetensorsFile(path: "\(model)/model.safetensors").header
    let tensor = try #require(
      header.tensors.first { $0.name == "model.layers.2.mlp.up_proj.weight" })
    let start = header.dataOffset + tensor.range.lowerBound + 2 * 77
    bytes.replaceSubrange(start..<start + 2, with: [0xC0, 0x7F])
    try place.write("m/model.safetensors", bytes)
    try expectRefusal(of: model, in: place, to: "out.gguf", tensor.name, "77") { $0.type = .q80 }
    // A type of floats stores it as it is.
    try ConvertTests.convert(model, to: "\(place.path)/out.gguf") { $0.type = .f16 }
  }

  @Test(arguments: [TensorType.f16, .q80, .q41, .q5K]) func numbersThatWouldBecomeInfiniteAreNamed(
    _ type: TensorType
  )
    throws
  {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    var bytes = try FileSystem.contents(of: "\(model)/model.safetensors")
    let header = try SafetensorsFile(path: "\(model)/model.safetensors").header
    let tensor = try #require(
      header.tensors.first { $0.name == "model.layers.1.mlp.down_proj.weight" })
    let start = header.dataOffset + tensor.range.lowerBound + 2 * 1234
    // 1e30 as bf16
    bytes.replaceSubrange(start..<start + 2, with: [0x4A, 0x71])
    try place.write("m/model.safetensors", bytes)
    try expectRefusal(of: model, in: place, to: "out.gguf", tensor.name, "1234") { $0.type = type }
    try ConvertTests.convert(model, to: "\(place.path)/out.gguf") { $0.type = .bf16 }
  }

  @Test func factorsWithoutTheirWindowAreRefused() throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    let config = try #require(
      String(bytes: FileSystem.contents(of: "\(model)/config.json"), encoding: .utf8))
    let ones = Array(repeating: "1.5", count: 16).joined(separator: ",")
    try place.write(
      "m/config.json",
      config.replacing(
        "\"rope_type\": \"default\"",
        with: "\"rope_type\": \"longrope\", \"long_factor\": [\(ones)], \"short_factor\": [\(ones)]"
      ))
    try expectRefusal(of: model, in: place, to: "out.gguf", "original_max_position_embeddings")
  }

  @Test func quantisedTypesAreNoneOfAFolder() throws {
    let place = try TemporaryDirectory()
    try expectRefusal(of: ConvertTests.folder, in: place, "q8_0") { $0.type = .q80 }
  }

  @Test(arguments: ["phi3small", "granitemoe", "apertus"]) func otherFamiliesAreRefusedByName(
    _ family: String
  ) throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    try place.write("m/config.json", ModelBuilder.config(family, isV5: false))
    try expectRefusal(of: model, in: place, to: "out.gguf", family)
  }

  /// Damaged sources give an error or a model, never a crash, and leave no files behind.
  @Test func damagedSourcesLeaveNothing() throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    var random = Seeded(11)
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
      let original = try FileSystem.contents(of: "\(model)/\(name)")
      for _ in 0..<12 {
        var bytes = original
        for _ in 0..<3 {
          bytes[Int.random(in: 0..<min(bytes.count, 4000), using: &random)] = UInt8.random(
            in: 0...255, using: &random)
        }
        if Bool.random(using: &random) {
          bytes.removeLast(Int.random(in: 0..<bytes.count / 2, using: &random))
        }
        try place.write("m/\(name)", bytes)
        let output = "\(place.path)/out.gguf"
        do { try ConvertTests.convert(model, to: output) } catch {}
        try? FileManager.default.removeItem(atPath: output)
        #expect(try FileSystem.names(in: place.path) == ["m"])
      }
      try place.write("m/\(name)", original)
    }
    let file = try FileSystem.contents(of: ConvertTests.gguf)
    for _ in 0..<30 {
      var bytes = file
      for _ in 0..<4 {
        bytes[Int.random(in: 0..<30_000, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      let path = try place.write("g.gguf", bytes)
      for output in ["\(place.path)/out", "\(place.path)/out.gguf"] {
        do { try ConvertTests.convert(path, to: output) } catch {}
        try? FileManager.default.removeItem(atPath: output)
      }
      #expect(try FileSystem.names(in: place.path).sorted() == ["g.gguf", "m"])
    }
  }
}
