import Formats
import Foundation
import Models
import Numerics
import Patch
import TestSupport
import Testing

@testable import Convert
@testable import Inference

/// Conversions of the trained fixture models.
///
/// scripts/conformance checks the results with other programs.
@Suite("Conversions") struct ConvertTests {
  static let folder = Fixture.path("models/needle-256-x4")
  static let gguf = Fixture.path("models/needle-256-x4.gguf")
  static let factors = Fixture.path("models/needle-256-x4.factors.json")

  @discardableResult
  static func convert(
    _ model: String, to output: String,
    _ change: (inout ConversionOptions) throws -> Void = { _ in }
  ) throws -> Conversion {
    var options = ConversionOptions()
    options.threads = 2
    options.name = "needle"
    try change(&options)
    let conversion = try Conversion(of: model, to: output, options: options)
    try conversion.perform { _ in }
    return conversion
  }

  /// The bytes of every tensor by name, whichever files they are in.
  static func tensors(_ path: String) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for tensor in try ModelTensors(ModelFile(path: path)).all {
      tensor.file.map.withUnsafeBytes(in: tensor.range) {
        result["\(tensor.name) \(tensor.type)"] = Array($0)
      }
    }
    return result
  }

  static func texts(_ folder: String) throws -> [String: [UInt8]] {
    try snapshot(folder).filter { !$0.key.hasSuffix(".safetensors") }
  }

  // MARK: There and back

  @Test func folderToGGUFAndBackIsTheSameFolder() throws {
    let place = try TemporaryDirectory()
    let (file, back) = ("\(place.path)/m.gguf", "\(place.path)/back")
    try Self.convert(Self.folder, to: file) { $0.type = .bf16 }
    try Self.convert(file, to: back)
    let (before, after) = (try snapshot(Self.folder), try snapshot(back))
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
      #expect(after[name] == before[name], "\(name)")
    }
  }

  /// The way back does not need the keys that preserve a folder's configs.
  @Test func fileOfAnotherProgramBecomesAFolderThatAgrees() throws {
    let place = try TemporaryDirectory()
    let back = "\(place.path)/back"
    let conversion = try Self.convert(Self.gguf, to: back)
    #expect(!conversion.remarks.isEmpty)
    let text = "Call me Ishmael. The pass key is 73945. 12 + 34 = 46, naïve café — 東京"
    let tokenizers = try [Self.gguf, back].map { try Tokenizer(path: $0) }
    let tokens = [0] + tokenizers[0].encode(text)
    #expect(tokenizers[1].encode(text) == Array(tokens.dropFirst()))
    let scores = try [Self.gguf, back].map { try Self.scores($0, tokens) }
    // The rows of q and k are in another order, so sums in single precision differ slightly.
    #expect(zip(scores[0], scores[1]).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  /// The log-probability of each token but the first.
  static func scores(_ path: String, _ tokens: [Int]) throws -> [Double] {
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    let policy = try RopePolicy(#require(inspection.readings.first))
    let sequence = Scoring.Sequence(
      tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
    var result: [Double] = []
    try Scoring(ForwardPass(Transformer(path: path), threads: 1), [policy]).run([sequence]) {
      _, _, scores in
      result = scores.map(\.logProbability)
    }
    return result
  }

  @Test func factorsSurviveBothWays() throws {
    let place = try TemporaryDirectory()
    let (file, back, direct) = (
      "\(place.path)/m.gguf", "\(place.path)/back", "\(place.path)/direct"
    )
    let source = try FactorSource(path: Self.factors)
    try Self.convert(Self.folder, to: file) { $0.factors = source }
    try Self.convert(file, to: back)
    try Self.convert(Self.folder, to: direct) { $0.factors = source }
    #expect(try Self.texts(back)["config.json"] == Self.texts(direct)["config.json"])
    let expected = try #require(Inspection(ModelSession(path: direct, exclusive: false)).factors)
    for path in [file, back] {
      let inspection = try Inspection(ModelSession(path: path, exclusive: false))
      var factors = try #require(inspection.factors)
      // A file stores them in single precision.
      #expect(
        zip(factors.long + [factors.longMscale], expected.long + [expected.longMscale]).allSatisfy {
          abs($0 - $1) < 1e-6
        })
      (factors.longMscale, factors.shortMscale) = (expected.longMscale, expected.shortMscale)
      factors.long = expected.long
      #expect(factors == expected, "\(path)")
    }
  }

  @Test(arguments: TensorType.allCases) func everyTypeIsTheSameForAnyNumberOfThreads(
    _ type: TensorType
  ) throws {
    let place = try TemporaryDirectory()
    let bytes = try [1, 2, 5].map { threads in
      let path = "\(place.path)/\(threads).gguf"
      try Self.convert(Self.folder, to: path) {
        $0.type = type
        $0.threads = threads
      }
      return try FileSystem.contents(of: path)
    }
    #expect(bytes[0] == bytes[1] && bytes[0] == bytes[2])
    // The model still works.
    let scores = try Self.scores("\(place.path)/1.gguf", Array(2..<60))
    #expect(scores.allSatisfy { $0.isFinite })
    // A file can be converted again, also to the types of a folder.
    try Self.convert("\(place.path)/1.gguf", to: "\(place.path)/folder") { $0.type = .f16 }
    _ = try Transformer(path: "\(place.path)/folder")
  }

  // MARK: Files

  @Test func shardsHoldTheSameTensors() throws {
    let place = try TemporaryDirectory()
    let (sharded, merged) = ("\(place.path)/sharded", "\(place.path)/merged")
    try Self.convert(Self.folder, to: sharded) { $0.maximumShardBytes = 700_000 }
    let names = try FileSystem.names(in: sharded).filter { $0.hasSuffix(".safetensors") }
    #expect(
      names.sorted().map { String($0.suffix(18)) }
        == (1...3).map { "0000\($0)-of-00003.safetensors" }.map { String($0.suffix(18)) })
    #expect(try Self.tensors(sharded) == Self.tensors(Self.folder))
    try Self.convert(sharded, to: merged)
    #expect(try snapshot(merged) == snapshot(Self.folder))
    // A folder with three shards gives the same file as one with a single shard.
    for (name, path) in [("a", sharded), ("b", Self.folder)] {
      try Self.convert(path, to: "\(place.path)/\(name).gguf")
    }
    #expect(
      try FileSystem.contents(of: "\(place.path)/a.gguf")
        == FileSystem.contents(of: "\(place.path)/b.gguf"))
  }

  @Test func splitFilesHoldTheSameTensors() throws {
    let place = try TemporaryDirectory()
    let merged = "\(place.path)/merged.gguf"
    try Self.convert(
      Fixture.path("models/needle-256-x4-split/needle-256-x4-00001-of-00003.gguf"), to: merged)
    #expect(try Self.tensors(merged) == Self.tensors(Self.gguf))
    let conversion = try Self.convert(merged, to: "\(place.path)/again.gguf") {
      $0.maximumShardBytes = 500_000
    }
    #expect(conversion.paths.count > 2 && conversion.paths.allSatisfy(FileSystem.exists))
    let model = try GGUFModel(path: conversion.paths[1])
    #expect(model.shards.count == conversion.paths.count)
    #expect(try Self.tensors(conversion.paths[0]) == Self.tensors(Self.gguf))
  }

  @Test func untiedHeadsAreKept() throws {
    let place = try TemporaryDirectory()
    let untied = try untiedModel(in: place)
    let (file, back) = ("\(place.path)/m.gguf", "\(place.path)/back")
    try Self.convert(untied, to: file) { $0.type = .bf16 }
    #expect(try Self.tensors(file).keys.contains("output.weight BF16"))
    try Self.convert(file, to: back)
    #expect(try Self.tensors(back) == Self.tensors(untied))
    #expect(try snapshot(back)["config.json"] == snapshot(untied)["config.json"])
    // The fixture's own embeddings are tied.
    try Self.convert(Self.folder, to: "\(place.path)/tied.gguf")
    #expect(
      try !Self.tensors("\(place.path)/tied.gguf").keys.contains { $0.hasPrefix("output.weight") })
  }

  private func untiedModel(in place: TemporaryDirectory) throws -> String {
    let path = try place.copy("models/needle-256-x4", as: "untied")
    let config = try #require(
      String(bytes: FileSystem.contents(of: "\(path)/config.json"), encoding: .utf8))
    try place.write(
      "untied/config.json",
      config.replacing("\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false"))
    let file = try SafetensorsFile(path: "\(path)/model.safetensors")
    let bytes = try FileSystem.contents(of: "\(path)/model.safetensors")
    let embeddings = try #require(
      file.header.tensors.first { $0.name == "model.embed_tokens.weight" })
    var tensors = file.header.tensors.map { tensor in
      (
        tensor,
        Array(
          bytes[
            (file.header.dataOffset + tensor.range.lowerBound)..<(file.header.dataOffset
              + tensor.range.upperBound)]
        )
      )
    }
    let head = try #require(tensors.first { $0.0.name == embeddings.name }).1
    tensors.append(
      (
        SafetensorsTensor(
          name: "lm_head.weight", dtype: embeddings.dtype, shape: embeddings.shape,
          range: 0..<head.count),
        Array(head.reversed().map { $0 & 0x3F })
      ))
    let writer = try SafetensorsWriter(metadata: [("format", "pt")], tensors: tensors.map(\.0))
    var out = writer.header
    for tensor in writer.tensors {
      out += try #require(tensors.first { $0.0.name == tensor.name }).1
    }
    try place.write("untied/model.safetensors", out)
    return path
  }

  @Test func otherFilesAreCarriedAlong() throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    try place.write("m/README.md", "# A card\n")
    try place.write("m/assets/logo.bin", [1, 2, 3])
    try Self.convert(model, to: "\(place.path)/out") { $0.type = .f16 }
    let out = try snapshot("\(place.path)/out")
    #expect(out["README.md"] == Array("# A card\n".utf8) && out["assets/logo.bin"] == [1, 2, 3])
    #expect(out["tokenizer.json"] == (try snapshot(model)["tokenizer.json"]))
  }

  /// transformers 5 and llama.cpp's converter keep a head that the config ties.
  @Test func headsOfTiedModelsAreKept() throws {
    let place = try TemporaryDirectory()
    let model = try untiedModel(in: place)
    let config = try #require(
      String(bytes: FileSystem.contents(of: "\(model)/config.json"), encoding: .utf8))
    try place.write(
      "untied/config.json",
      config.replacing("\"tie_word_embeddings\": false", with: "\"tie_word_embeddings\": true"))
    let conversion = try Self.convert(model, to: "\(place.path)/tied.gguf")
    #expect(conversion.remarks.contains { $0.contains("lm_head.weight") })
    let tokens = Array(2..<40)
    let own = try Self.scores(Self.folder, tokens)
    let scores = try [model, "\(place.path)/tied.gguf"].map { try Self.scores($0, tokens) }
    #expect(zip(scores[0], scores[1]).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(zip(scores[0], own).contains { abs($0 - $1) > 0.1 })
  }

  @Test func namedChatTemplatesComeBack() throws {
    let place = try TemporaryDirectory()
    let model = try place.copy("models/needle-256-x4", as: "m")
    let config = try #require(
      String(bytes: FileSystem.contents(of: "\(model)/tokenizer_config.json"), encoding: .utf8))
    let list =
      #""chat_template": [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}]"#
    let end = try #require(config.lastIndex(of: "}"))
    try place.write(
      "m/tokenizer_config.json",
      config[..<end].trimmingCharacters(in: .whitespacesAndNewlines) + ", \(list)}")
    try Self.convert(model, to: "\(place.path)/out.gguf")
    try Self.convert("\(place.path)/out.gguf", to: "\(place.path)/back")
    let configs = try [model, "\(place.path)/back"].map {
      try JSONDocument(path: "\($0)/tokenizer_config.json").value
    }
    #expect(configs[1]["chat_template"] == configs[0]["chat_template"])
  }

  /// transformers prefers files to tokenizer_config.json.
  @Test func chatTemplatesInFilesComeBackAsFiles() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    folder.files["chat_template.jinja"] = Array("{{ 'default' }}\n".utf8)
    folder.files["additional_chat_templates/tool_use.jinja"] = Array("{{ 'tools' }}\n".utf8)
    let name = ModelFolder.tokenizerConfigName
    let plain = try #require(folder.files[name])
    let model = try folder.write(to: place)
    let first = try Self.convert(model, to: "\(place.path)/m.gguf") { $0.type = .bf16 }
    #expect(!first.remarks.contains { $0.contains("chat template") })
    let header = try GGUFFile(path: "\(place.path)/m.gguf").header
    #expect(header[key: "tokenizer.chat_template"]?.text == "{{ 'default' }}\n")
    #expect(header[key: "tokenizer.chat_template.tool_use"]?.text == "{{ 'tools' }}\n")
    try Self.convert("\(place.path)/m.gguf", to: "\(place.path)/back")
    #expect(try Self.texts("\(place.path)/back") == Self.texts(model))
    // Another template in the config is not used, and a remark says so.
    var config = try JSONDocument(parsing: plain)
    try config.set(["chat_template"], to: .string("{{ 'config' }}"))
    folder.files[name] = config.bytes
    let second = try Self.convert(folder.write(to: place, as: "n"), to: "\(place.path)/n.gguf")
    #expect(second.remarks.contains { $0.contains("other chat templates") })
    let other = try GGUFFile(path: "\(place.path)/n.gguf").header
    #expect(other[key: "tokenizer.chat_template"]?.text == "{{ 'default' }}\n")
  }

  @Test func endingsAndSamplingAreKeysOfTheFile() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    let text =
      #"{"eos_token_id": [1, 7, 9, 11], "temperature": 0.5, "top_k": 20, "top_p": 0.75}"# + "\n"
    folder.files["generation_config.json"] = Array(text.utf8)
    let conversion = try Self.convert(folder.write(to: place), to: "\(place.path)/m.gguf")
    #expect(conversion.remarks.contains { $0.contains("11 are left out") })
    let path = "\(place.path)/m.gguf"
    let header = try GGUFFile(path: path).header
    for (name, id) in [("eos", 1), ("eot", 7), ("eom", 9)] {
      #expect(header[key: "tokenizer.ggml.\(name)_token_id"] == .uint32(UInt32(id)))
    }
    #expect(header[key: "general.sampling.temp"] == .float32(0.5))
    #expect(header[key: "general.sampling.top_k"] == .int32(20))
    #expect(try Tokenizer(path: path).endings == [1, 7, 9])
    // A file of another program has only the keys.
    let bare = try place.write(
      "bare.gguf",
      EditedGGUF.bytes(of: path, removing: ["lrpatch.source.generation_config"]))
    try Self.convert(bare, to: "\(place.path)/back")
    let back = try JSONDocument(path: "\(place.path)/back/generation_config.json").value
    #expect(back["eos_token_id"]?.doubles == [1, 7, 9])
    #expect(back["temperature"]?.double == 0.5 && back["top_k"]?.integer == 20)
  }
}
