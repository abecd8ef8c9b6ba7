import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing

@testable import Convert
@testable import Inference

/// Folders as people publish them: other names, other files, other parts.
@Suite("Layouts of real folders") struct RealLayoutTests {
  private static let tokens = Array(2..<14)

  private static func scores(_ path: String) throws -> [Double] {
    try ConvertTests.scores(path, tokens)
  }

  /// Expects that a folder runs and converts as the plain one.
  private func expectSame(_ model: String, _ place: TemporaryDirectory) throws -> Conversion {
    let plain = try Self.scores(Fixture.path("models/needle-256"))
    #expect(try Self.scores(model) == plain)
    let conversion = try ConvertTests.convert(model, to: "\(place.path)/out.gguf")
    let converted = try Self.scores("\(place.path)/out.gguf")
    #expect(zip(converted, plain).allSatisfy { abs($0 - $1) < 1e-4 })
    try ConvertTests.convert(model, to: "\(place.path)/out") { $0.type = .f32 }
    #expect(try Self.scores("\(place.path)/out") == plain)
    return conversion
  }

  private static func multimodal(_ folder: inout NeedleFolder) throws {
    let text = folder.config.value
    let norm = try #require(folder.tensors.first { $0.name.hasSuffix("norm.weight") })
    folder.config = try JSONDocument(
      parsing: JSONStyle.standard.encode(
        .object([
          "architectures": .array([.string("LlavaForConditionalGeneration")]),
          "model_type": .string("llava"), "text_config": text,
          "tie_word_embeddings": .bool(true),
        ])))
    folder.tensors.append(
      .init(
        name: "model.vision_tower.norm.weight", type: norm.type, shape: norm.shape,
        bytes: norm.bytes))
  }

  @Test(arguments: ["", "model.language_model.", "language_model.model.", "llm.model."])
  func runsUnderOtherNames(_ prefix: String) throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    folder.rename { prefix + $0.dropFirst("model.".count) }
    if !prefix.isEmpty { try Self.multimodal(&folder) }
    let model = try folder.write(to: place)
    let conversion = try expectSame(model, place)
    #expect(conversion.remarks.contains { $0.contains("other parts") } == !prefix.isEmpty)
    // A folder keeps its names and its other parts.
    let names = try ModelTensors(ModelFile(path: "\(place.path)/out"))
    #expect(
      (names.all + names.otherParts).map(\.name).sorted() == folder.tensors.map(\.name).sorted())
  }

  /// MiniCPM-V 4.0 as it is published: the language model's members beside those of the other
  /// parts, and factors of 1 that extend nothing.
  @Test func runsTheLanguageModelOfMiniCPMV() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    folder.rename { "llm." + $0 }
    let norm = try #require(folder.tensors.first { $0.name.hasSuffix("norm.weight") })
    folder.tensors.append(
      .init(name: "vpm.norm.weight", type: norm.type, shape: norm.shape, bytes: norm.bytes))
    try folder.set("model_type", .string("minicpmv"))
    try folder.set("version", .number(4.0))
    try folder.set("slice_config", .object(["model_type": .string("minicpmv")]))
    let ones = JSONValue.numbers(Array(repeating: 1, count: 16))
    try folder.setScaling(
      .object([
        "rope_type": .string("longrope"), "long_factor": ones, "short_factor": ones,
        "factor": .number(1.0), "original_max_position_embeddings": .number(260),
      ]))
    let model = try folder.write(to: place)
    let conversion = try expectSame(model, place)
    #expect(conversion.remarks.contains { $0.contains("other parts") })
    #expect(try GGUFModel(path: "\(place.path)/out.gguf").architecture.name == "llama")
    // The original window is above the window.
    let found = try Lint.findings(ModelSession(path: model, exclusive: false)).map(\.rule.name)
    #expect(found.contains("window-not-extended"), "\(found)")
  }

  @Test(arguments: ["4.6", "\"7\"", "true"])
  func otherVersionsOfMiniCPMVAreRefused(_ version: String) throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    try folder.set("model_type", .string("minicpmv"))
    try folder.set("version", JSONDocument(parsing: Array(version.utf8)).value)
    let model = try folder.write(to: place)
    #expect {
      _ = try Transformer(path: model)
    } throws: {
      "\($0)".contains("version")
    }
  }

  @Test func patchesTheTextOfAMultimodalModel() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder("models/needle-256-x4")
    folder.rename { "model.language_model." + $0.dropFirst("model.".count) }
    try Self.multimodal(&folder)
    let model = try folder.write(to: place)
    let source = try FactorSource(path: ConvertTests.factors)
    try ConvertTests.convert(model, to: "\(place.path)/out.gguf") { $0.factors = source }
    let inspection = try Inspection(ModelSession(path: "\(place.path)/out.gguf", exclusive: false))
    let reading = inspection.readings.first { $0.name == Runtime.llamaCpp.rawValue }
    #expect(reading?.status == .ok)
  }

  private static func halves(
    _ folder: NeedleFolder
  ) -> (first: [NeedleFolder.Tensor], second: [NeedleFolder.Tensor]) {
    let half = folder.tensors.count / 2
    return (Array(folder.tensors[..<half]), Array(folder.tensors[half...]))
  }

  @Test(arguments: [1, 2]) func numberedShardsNeedNoIndex(_ count: Int) throws {
    let place = try TemporaryDirectory()
    let folder = try NeedleFolder()
    let (first, second) = Self.halves(folder)
    let shards =
      count == 1
      ? ["model-00001-of-00001.safetensors": folder.tensors]
      : ["model-00001-of-00002.safetensors": first, "model-00002-of-00002.safetensors": second]
    let model = try folder.write(to: place, shards: shards)
    _ = try expectSame(model, place)
    #expect(try SafetensorsFolder(path: model)?.lacksIndex == true)
    if count == 2 {
      try FileManager.default.removeItem(atPath: "\(model)/model-00002-of-00002.safetensors")
      #expect(throws: FormatError.self) { try SafetensorsFolder(path: model) }
    }
  }

  @Test func theIndexDecidesBetweenFilesAndDuplicates() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    let (first, second) = Self.halves(folder)
    let shards = [
      "model-00001-of-00002.safetensors": first, "model-00002-of-00002.safetensors": second,
    ]
    folder.files["model.safetensors.index.json"] = NeedleFolder.index(shards)
    // A copy with other numbers of a tensor that the index has in the second file.
    var copy = second[0]
    copy.bytes = Array(repeating: 0, count: copy.bytes.count)
    let stray = NeedleFolder.Tensor(name: "left.over", type: .f32, shape: [1], bytes: [0, 0, 0, 0])
    let model = try folder.write(
      to: place,
      shards: [
        "model-00001-of-00002.safetensors": first + [copy],
        "model-00002-of-00002.safetensors": second, "model.safetensors": [stray],
        "consolidated.safetensors": [stray],
      ])
    _ = try expectSame(model, place)
    let conversion = try ConvertTests.convert(model, to: "\(place.path)/again")
    #expect(conversion.remarks.filter { $0.contains("is left out") }.count == 2)
    #expect(
      try snapshot("\(place.path)/again").keys.filter { $0.hasSuffix(".safetensors") }
        == ["model.safetensors"])
  }

  @Test func numbersOfPythonAreRead() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    let text = "{\"a\": NaN, \"b\": [Infinity, -Infinity], \"c\": 1}\n"
    folder.files["generation_config.json"] = Array(text.utf8)
    let model = try folder.write(to: place)
    _ = try expectSame(model, place)
    try ConvertTests.convert("\(place.path)/out.gguf", to: "\(place.path)/back")
    let back = try JSONDocument(path: "\(place.path)/back/generation_config.json").value
    #expect(back["a"] == .number("NaN") && back["a"]?.double == nil)
    #expect(back["b"] == .array([.number("Infinity"), .number("-Infinity")]))
    for damaged in ["NaM", "-Infinite", "Inf", "-NaN"] {
      #expect(throws: FormatError.self) { try JSONDocument(parsing: Array(damaged.utf8)) }
    }
  }

  @Test func aTokenBeyondTheVocabularyIsNamed() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    let name = "tokenizer.json"
    var tokenizer = try JSONDocument(parsing: #require(folder.files[name]))
    let added = try #require(tokenizer.value["added_tokens"]?.elements)
    var token = try #require(added.last?.members)
    for index in token.indices {
      if token[index].name == "id" { token[index].value = .number(1024) }
      if token[index].name == "content" { token[index].value = .string("<beyond>") }
    }
    try tokenizer.set(["added_tokens"], to: .array(added + [.object(token)]))
    folder.files[name] = tokenizer.bytes
    let model = try folder.write(to: place)
    #expect {
      try ConvertTests.convert(model, to: "\(place.path)/out.gguf")
    } throws: {
      "\($0)".contains("1024 ('<beyond>')") && "\($0)".contains("resize_token_embeddings")
    }
  }

  /// `lint` says it of a folder that runs.
  @Test func whatCannotBecomeAGGUFFileIsFound() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    func findings(_ name: String) throws -> [String] {
      let session = try ModelSession(path: folder.write(to: place, as: name), exclusive: false)
      return ConversionCheck.findings(session).map(\.rule.name)
    }
    #expect(try findings("good").isEmpty)
    try folder.setScaling(
      .object(["rope_type": .string("dynamic"), "factor": .number(4.0)]))
    #expect(try findings("dynamic") == ["no-gguf"])
  }

  // MARK: Granite 4, and lists by layer

  /// llama.cpp's converter made the GGUF file, whose list of key heads has one number for all layers.
  @Test func denseGranite4IsAGraniteInGGUF() throws {
    let place = try TemporaryDirectory()
    let (folder, file) = (
      Fixture.path("architectures/granitemoehybrid"),
      Fixture.path("architectures/granitemoehybrid.gguf")
    )
    let list = try GGUFFile(path: file).header[key: "granite.attention.head_count_kv"]
    #expect(list?.type == .array)
    try ConvertTests.convert(folder, to: "\(place.path)/own.gguf")
    #expect(try ConvertTests.tensors("\(place.path)/own.gguf") == ConvertTests.tensors(file))
    // On the way back it is a Granite.
    try ConvertTests.convert("\(place.path)/own.gguf", to: "\(place.path)/back")
    let back = try ModelFolder(path: "\(place.path)/back")
    #expect(back.architecture.name == "granite")
    let scores = try [folder, "\(place.path)/back"].map { try Self.scores($0) }
    #expect(zip(scores[0], scores[1]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(arguments: [
    JSONMember("num_local_experts", .number(4)), JSONMember("num_local_experts", .null),
    JSONMember("layer_types", .array([.string("mamba"), .string("attention")])),
    JSONMember("layer_types", .null), JSONMember("position_embedding_type", .string("nope")),
    JSONMember("position_embedding_type", .null),
  ]) func otherGranite4ModelsAreRefused(_ member: JSONMember) throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder("architectures/granitemoehybrid")
    try folder.set(member.name, member.value)
    let path = try folder.write(to: place)
    #expect {
      _ = try Transformer(path: path)
    } throws: {
      "\($0)".contains(member.name)
    }
  }

  @Test(arguments: [[2, 2], [2, 1], [2, 2, 2]]) func listsByLayerMustHaveOneValue(
    _ values: [Int32]
  ) throws {
    let place = try TemporaryDirectory()
    let list = GGUFKey("llama.attention.head_count_kv", .array(GGUFArray(integers: values)))
    let base = Fixture.path("architectures/llama.gguf")
    let path = try place.write("m.gguf", EditedGGUF.bytes(of: base, setting: [list]))
    guard values == [2, 2] else {
      #expect {
        _ = try Transformer(path: path)
      } throws: {
        "\($0)".contains("head_count_kv") && "\($0)".contains("by layer")
      }
      return
    }
    #expect(try Self.scores(path) == Self.scores(base))
  }

  /// In a config that is not multimodal, transformers finds no tensor under such a prefix.
  @Test func prefixesOfPartsNeedAMultimodalConfig() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    folder.rename { "model.language_model." + $0.dropFirst("model.".count) }
    let path = try folder.write(to: place)
    #expect {
      _ = try Transformer(path: path)
    } throws: {
      "\($0)".contains("model.embed_tokens.weight")
    }
  }
}
