import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing

@Suite("Patching GGUF files") struct GGUFPatchTests {
  static let tensors: GGUFBuilder = GGUFBuilder.llama().floats("token_embd.weight", [1, 2, 3])
    .floats("output.weight", [4, 5])

  @Test func addsKeysAndTensorsAndRevertsEveryByte() throws {
    let bench = try PatchFixture(Self.tensors)
    let before = try bench.bytes
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let header = try bench.header
    #expect(header[key: "llama.context_length"] == .uint32(1024))
    #expect(header[key: "llama.rope.scaling.type"] == .string("longrope"))
    #expect(header[key: "llama.rope.scaling.original_context_length"] == .uint32(256))
    #expect(header[key: "llama.rope.scaling.attn_factor"] == .float32(1.118034))
    #expect(header[key: "llama.rope.scaling.factor"] == nil)
    #expect(
      header.tensors.map(\.name).suffix(2) == [
        "rope_factors_long.weight", "rope_factors_short.weight",
      ])
    let file = try GGUFFile(path: bench.model)
    #expect(file.floats(of: "token_embd.weight") == [1, 2, 3])
    #expect(file.floats(of: "output.weight") == [4, 5])
    #expect(file.floats(of: "rope_factors_long.weight")?.last == 4.75)
    _ = consume file
    #expect(try bench.lint().allSatisfy { $0.rule.severity < .error })
    #expect(try bench.apply(ModelBuilder.factors(pairs: 16)).isEmpty)
    #expect(try bench.revert() == 1)
    #expect(try bench.bytes == before)
    #expect(try bench.revert() == 0)
  }

  /// Names of architectures whose loader in llama.cpp uses the factors.
  static let patched = Architecture.all.filter(\.takesFactorsInGGUF).compactMap { $0.gguf?.name }

  @Test func knowsArchitecturesThatTakeFactors() { #expect(Set(Self.patched).count == 13) }

  @Test(arguments: Set(patched).sorted()) func patchesEveryArchitecture(_ name: String) throws {
    let bench = try PatchFixture(
      GGUFBuilder.llama(architecture: name).floats("token_embd.weight", [1]))
    let before = try bench.bytes
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let errors = try bench.lint().filter { $0.rule.severity == .error }
    #expect(errors.isEmpty, "\(errors)")
    let readings = try Inspection(ModelSession(path: bench.model, exclusive: false)).readings
    #expect(readings.first { $0.name == Runtime.llamaCpp.rawValue }?.status == .ok)
    #expect(readings.allSatisfy { [.ok, .unsupported].contains($0.status) })
    _ = try bench.revert()
    #expect(try bench.bytes == before)
  }

  @Test(arguments: ["qwen2", "qwen3", "gemma3", "refact", "pangu-embedded"])
  func refusesArchitecturesWhoseLoaderTakesNoFactors(_ name: String) throws {
    let bench = try PatchFixture(GGUFBuilder.llama(architecture: name).floats("a", [1]))
    let error = #expect(throws: ModelError.self) {
      try bench.apply(ModelBuilder.factors(pairs: 16))
    }
    #expect(error?.message.contains("llama, phi3, phimoe, minicpm") == true)
  }

  /// Llama 3.1's own factors for theta 10000, 32 dimensions, factor 8 and an original window of
  /// 256.
  static let llama3: [Float] = (0..<16).map { pair in
    let period = 2 * Double.pi * pow(10_000, Double(pair) / 16)
    if period < 64 { return 1 }
    if period > 256 { return 8 }
    let smooth = (256 / period - 1) / 3
    return Float(1 / ((1 - smooth) / 8 + smooth))
  }

  @Test func putsFactorsInThePlaceOfRopeFreqs() throws {
    let bench = try PatchFixture(
      GGUFBuilder.llama(window: 2048).floats("rope_freqs.weight", Self.llama3).floats(
        "output.weight", [4, 5]))
    let before = try bench.bytes
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let header = try bench.header
    #expect(
      header.tensors.map(\.name) == [
        "rope_factors_long.weight", "output.weight", "rope_factors_short.weight",
      ])
    #expect(try bench.lint().allSatisfy { $0.rule.severity < .error })
    _ = try bench.revert()
    #expect(try bench.bytes == before)
  }

  @Test func refusesRopeFreqsOfAnotherWindow() throws {
    let bench = try PatchFixture(
      GGUFBuilder.llama(window: 2048).floats("rope_freqs.weight", Self.llama3).floats(
        "output.weight", [4]))
    let factors = ModelBuilder.factors(pairs: 16).replacing(
      "embeddings\": 256", with: "embeddings\": 512")
    let error = #expect(throws: ModelError.self) { try bench.apply(factors) }
    #expect(error?.message.contains("256") == true)
  }

  @Test func removesKeysThatWouldScaleTwice() throws {
    let bench = try PatchFixture(
      GGUFBuilder.llama().key("llama.rope.scaling.type", "yarn").key(
        "llama.rope.scaling.factor", Float(4)
      )
      .key("llama.rope.scaling.original_context_length", 256).floats("output.weight", [4]))
    let before = try bench.bytes
    try bench.apply(ModelBuilder.factors(pairs: 16))
    #expect(try bench.header[key: "llama.rope.scaling.factor"] == nil)
    #expect(try bench.header[key: "llama.rope.scaling.type"] == .string("longrope"))
    _ = try bench.revert()
    #expect(try bench.bytes == before)
  }

  /// Keys before a vocabulary that is too long to move become void keys, and the vocabulary keeps
  /// its place.
  @Test func leavesALongVocabularyInItsPlace() throws {
    var builder = GGUFBuilder().key("general.architecture", "llama").key(
      "llama.context_length", 256
    )
    .key("llama.rope.dimension_count", 32).key("llama.rope.scaling.type", "yarn")
    .key("llama.rope.scaling.factor", Float(4)).key(
      "llama.rope.scaling.original_context_length", 256)
    builder = builder.key("tokenizer.ggml.tokens", (0..<20_000).map { "token-\($0)" }).floats(
      "output.weight", [4])
    let bench = try PatchFixture(builder)
    let before = try bench.bytes
    let tokens = try bench.header.keys.last?.range
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let header = try bench.header
    #expect(header.keys.first { $0.name == "tokenizer.ggml.tokens" }?.range == tokens)
    #expect(header[key: "llama.rope.scaling.factor"] == nil)
    #expect(header[key: "llama.rope.scaling.type"] == .string("longrope"))
    #expect(header.keys.filter { $0.name.hasPrefix("lrpatch.void.") }.count == 2)
    #expect(try bench.lint().allSatisfy { $0.rule.severity < .error })
    try bench.apply(ModelBuilder.factors(pairs: 16).replacing("1.25", with: "1.3"))
    #expect(try bench.revert(all: true) == 2)
    #expect(try bench.bytes == before)
  }

  @Test func stacksRecordsAndRevertsThemOneByOne() throws {
    let bench = try PatchFixture(Self.tensors)
    let original = try bench.bytes
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let first = try bench.bytes
    for step in 1...5 {
      try bench.apply(ModelBuilder.factors(pairs: 16).replacing("4.75", with: "\(5 + step).5"))
    }
    #expect(try bench.header.tensors.count == 4)
    for _ in 1...5 { #expect(try bench.revert() == 1) }
    #expect(try bench.bytes == first)
    #expect(try bench.revert(all: true) == 1)
    #expect(try bench.bytes == original)
  }

  @Test func givesTheSameBytesEveryTime() throws {
    let benches = [try PatchFixture(Self.tensors), try PatchFixture(Self.tensors)]
    for bench in benches { try bench.apply(ModelBuilder.factors(pairs: 16)) }
    #expect(try benches[0].bytes == benches[1].bytes)
  }

  @Test func copiesToTheSameBytesAsInPlace() throws {
    let bench = try PatchFixture(fixture: "models/needle-256-x4.gguf")
    let source = try FactorSource(path: Fixture.path("models/needle-256-x4.factors.json"))
    let apply = Apply(
      source.set, factorsSHA256: source.sha256, version: "test", options: ApplyOptions())
    let output = "\(bench.folder.path)/copy.gguf"
    do {
      let session = try ModelSession(path: bench.model, exclusive: true)
      let plan = try apply.plan(for: session)
      try apply.writeCopy(plan, of: session, to: output)
      try apply.perform(plan, in: session)
    }
    #expect(try FileSystem.contents(of: output) == bench.bytes)
    #expect(try Revert().perform(in: ModelSession(path: output, exclusive: true)) == 1)
    #expect(try FileSystem.contents(of: output) == Fixture.bytes("models/needle-256-x4.gguf"))
  }

  @Test func refusesShardsThatContradictEachOther() throws {
    let folder = try TemporaryDirectory()
    for number in 1...2 {
      // Both say that they are the first.
      let shard = GGUFBuilder.llama().key("split.no", 0).key("split.count", 2)
        .key("split.tensors.count", 2).floats("tensor\(number)", [1])
      try folder.write("m-0000\(number)-of-00002.gguf", shard.bytes)
    }
    let path = "\(folder.path)/m-00002-of-00002.gguf"
    let error = #expect(throws: FormatError.self) { try GGUFModel(path: path) }
    #expect(error?.reason == .inconsistentSplit("0, expected 1"))
    #expect(error?.subject == .key("split.no") && error?.file == path)
  }

  @Test func patchesASplitModelAsOne() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4-split", as: "split")
    let before = try snapshot(model)
    let shard = "\(model)/needle-256-x4-00002-of-00003.gguf"
    let source = try FactorSource(path: Fixture.path("models/needle-256-x4.factors.json"))
    let apply = Apply(
      source.set, factorsSHA256: source.sha256, version: "test", options: ApplyOptions())
    do {
      let session = try ModelSession(path: shard, exclusive: true)
      try apply.perform(apply.plan(for: session), in: session)
    }
    let patched = try GGUFModel(path: shard)
    #expect(patched.longFactors?.count == 16)
    let counts = patched.shards.map { $0.header[key: "split.tensors.count"]?.integer }
    let total = patched.shards.reduce(0) { $0 + $1.header.tensors.count }
    #expect(counts.allSatisfy { $0 == total })
    // The files are renamed before the revert.
    for number in 1...3 {
      try FileSystem.rename(
        "\(model)/needle-256-x4-0000\(number)-of-00003.gguf",
        to: "\(model)/moved-0000\(number)-of-00003.gguf")
    }
    _ = try Revert().perform(
      in: ModelSession(path: "\(model)/moved-00003-of-00003.gguf", exclusive: true))
    let after = try snapshot(model)
    #expect(Set(after.values) == Set(before.values))
    try FileSystem.remove("\(model)/moved-00002-of-00003.gguf")
    #expect(throws: FormatError.self) { try GGUFModel(path: "\(model)/moved-00001-of-00003.gguf") }
  }

  @Test func refusesToRevertWhatOthersEdited() throws {
    let bench = try PatchFixture(Self.tensors)
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let key = try #require(bench.header.keys.first { $0.name == "llama.block_count" })
    do {
      let file = try Descriptor(path: bench.model, .edit)
      try file.write([9], at: key.valueOffset)
    }
    let edited = try bench.bytes
    let error = #expect(throws: ModelError.self) { try bench.revert() }
    #expect(
      error?.kind == .unsafe && error?.message.contains("'llama.block_count' was changed") == true)
    #expect(try bench.bytes == edited)
  }

  @Test func refusesAFileThatIsOpenElsewhere() throws {
    let bench = try PatchFixture(Self.tensors)
    let before = try bench.bytes
    let reader = try MappedFile(path: bench.model)
    let error = #expect(throws: ModelError.self) {
      try bench.apply(ModelBuilder.factors(pairs: 16))
    }
    #expect(error?.kind == .unsafe)
    #expect(try bench.bytes == before)
    var options = ApplyOptions()
    options.force = true
    try bench.apply(ModelBuilder.factors(pairs: 16), options: options)
    #expect(reader.byteCount == before.count)
  }

  @Test func namesMissingFactorTensors() throws {
    let bench = try PatchFixture(
      GGUFBuilder.llama().key("llama.rope.scaling.type", "longrope").floats("output.weight", [4]))
    #expect(try bench.lint().contains { $0.rule.name == "gguf-factor-tensors-missing" })
  }

  /// Loaders that always create the tables need no type, and ik_llama.cpp aborts on it.
  @Test(arguments: ["phi3", "phimoe", "minicpm3", "llama"])
  func writesATypeOnlyWhereItIsNeeded(_ name: String) throws {
    let place = try TemporaryDirectory()
    let base = Fixture.path("architectures/\(name).gguf")
    let typed = GGUFKey("\(name).rope.scaling.type", .string("linear"))
    let path = try place.write("m.gguf", EditedGGUF.bytes(of: base, setting: [typed]))
    let before = try FileSystem.contents(of: path)
    let source = try FactorSource(path: Fixture.path("architectures/\(name).factors.json"))
    let apply = Apply(
      source.set, factorsSHA256: "", version: "test", options: ApplyOptions())
    do {
      let session = try ModelSession(path: path, exclusive: true)
      try apply.perform(apply.plan(for: session), in: session)
    }
    let header = try GGUFFile(path: path).header
    #expect(header[key: typed.name] == (name == "llama" ? .string("longrope") : nil))
    let session = try ModelSession(path: path, exclusive: true)
    let readings = try Inspection(session).readings
    #expect(readings.first { $0.name == "llama.cpp" }?.status == .ok)
    #expect(
      readings.first { $0.name == "ik_llama.cpp" }?.status
        == (name == "phi3" ? .ok : .unsupported))
    #expect(try apply.plan(for: session).isEmpty)
    _ = try Revert().perform(in: session)
    #expect(try FileSystem.contents(of: path) == before)
  }

  /// `apply --for`: refused by name if a runtime would not use the factors.
  @Test func refusesFactorsThatARequiredRuntimeDoesNotUse() throws {
    let source = try FactorSource(path: Fixture.path("architectures/llama.factors.json"))
    func plan(_ model: String, _ runtimes: [Runtime]) throws -> Plan {
      var options = ApplyOptions()
      options.runtimes = runtimes
      let session = try ModelSession(path: Fixture.path(model), exclusive: false)
      return try Apply(source.set, factorsSHA256: "", version: "test", options: options)
        .plan(for: session)
    }
    #expect(try !plan("architectures/llama", [.transformers5, .sglang]).isEmpty)
    #expect(try !plan("architectures/llama.gguf", [.llamaCpp]).isEmpty)
    for (model, runtimes, word) in [
      ("architectures/llama", Runtime.ofFolders, "mistral.rs: "),
      ("architectures/llama", [.llamaCpp], "llama.cpp: reads GGUF files only"),
      ("architectures/llama.gguf", Runtime.ofFiles, "ik_llama.cpp: it aborts"),
      ("architectures/llama.gguf", [.vllm], "vLLM: does not read this format"),
    ] {
      #expect {
        _ = try plan(model, runtimes)
      } throws: {
        "\($0)".contains("would not be used by") && "\($0)".contains(word)
      }
    }
  }
}
