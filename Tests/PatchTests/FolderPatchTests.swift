import Formats
import Models
import Patch
import TestSupport
import Testing

@Suite("Patching folders") struct FolderPatchTests {
  /// `apply` writes no errors, every runtime that can use the factors does, and `revert` restores
  /// the bytes.
  @Test(arguments: ModelBuilder.families, [false, true])
  func patchesEveryFamily(_ family: String, _ isV5: Bool) throws {
    let bench = try PatchFixture(family, isV5: isV5)
    let before = try snapshot(bench.model)
    let pairs = ModelBuilder.rotaryDimensions(family) / 2
    let plan = try bench.apply(ModelBuilder.factors(pairs: pairs))
    #expect(!plan.isEmpty)

    let inspection = try bench.inspect()
    #expect(inspection.geometry.theta == 20_000)
    #expect(inspection.geometry.window == 1024 && inspection.geometry.originalWindow == 256)
    for reading in inspection.readings {
      let isPhimoeBug = family == "phimoe" && reading.name == "hf"
      let expected: [RuntimeReading.Status] =
        isPhimoeBug ? [.ignored, .divergent] : [.ok, .unsupported]
      let isDropped = reading.status == .ignored && reading.isInherent
      #expect(
        isDropped || expected.contains(reading.status), "\(reading.title): \(reading.notes)")
    }
    let errors = try bench.lint().filter { $0.rule.severity == .error && family != "phimoe" }
    #expect(errors.isEmpty, "\(errors)")

    #expect(try bench.apply(ModelBuilder.factors(pairs: pairs)).isEmpty)
    #expect(try bench.revert() == 1)
    #expect(try snapshot(bench.model) == before)
  }

  @Test func writesTheKeysThatRuntimesRead() throws {
    let bench = try PatchFixture("llama", isV5: true)
    _ = try bench.apply(ModelBuilder.factors(pairs: 16))
    let config = try bench.config
    #expect(config["max_position_embeddings"]?.integer == 1024)
    #expect(config["original_max_position_embeddings"]?.integer == 256)
    #expect(config["rope_theta"] == .number("20000.0"))
    for name in ["rope_scaling", "rope_parameters"] {
      let object = try #require(config[name])
      #expect(object["type"]?.text == "longrope" && object["rope_type"]?.text == "longrope")
      #expect(object["factor"] == .number("4.0"))
      #expect(object["original_max_position_embeddings"]?.integer == 256)
      #expect(object["attention_factor"] == nil && object["long_mscale"] == nil)
    }
    #expect(config["rope_parameters"]?["rope_theta"] == .number("20000.0"))
    let tokenizer = try JSONDocument(path: "\(bench.model)/tokenizer_config.json").value
    #expect(tokenizer["model_max_length"]?.integer == 1024)
  }

  @Test func keepsTransformers4sThreeKeysForPhi3() throws {
    let bench = try PatchFixture("phi3-partial", isV5: true)
    _ = try bench.apply(ModelBuilder.factors(pairs: 12))
    let config = try bench.config
    #expect(
      config["rope_scaling"]?.members?.map(\.name).sorted() == [
        "long_factor", "short_factor", "type",
      ])
    #expect(config["partial_rotary_factor"] == .number("0.75"))
    #expect(config["rope_parameters"]?["partial_rotary_factor"] == .number("0.75"))
  }

  @Test func disablesASlidingWindowOnPurpose() throws {
    let mistral = try PatchFixture("mistral")
    _ = try mistral.apply(ModelBuilder.factors(pairs: 16))
    // The class's default of 4096 does not limit a window of 1024.
    #expect(try mistral.config["sliding_window"] == nil)
    #expect(try mistral.config["head_dim"]?.integer == 32)

    let text = ModelBuilder.config("phi3", isV5: false)
      .replacing("\"vocab_size\": 100", with: "\"sliding_window\": 511, \"vocab_size\": 100")
    let phi3 = try PatchFixture(config: text)
    _ = try phi3.apply(ModelBuilder.factors(pairs: 16))
    #expect(try phi3.config["sliding_window"] == .null)

    let kept = try PatchFixture(config: text)
    var options = ApplyOptions()
    options.keepSlidingWindow = true
    _ = try kept.apply(ModelBuilder.factors(pairs: 16), options: options)
    #expect(try kept.config["sliding_window"]?.integer == 511)
    #expect(try kept.lint().contains { $0.rule.name == "sliding-window-limits-attention" })
  }

  /// transformers 5 fails on a Ministral whose window is null, and on types that contradict it.
  @Test func turnsWindowedLayersIntoFullOnes() throws {
    let types = "\"layer_types\": [\"sliding_attention\", \"full_attention\"]"
    let full = JSONValue.array([.string("full_attention"), .string("full_attention")])
    let ministral = ModelBuilder.config("ministral", isV5: true)
    let typed = ministral.replacing(
      "\"vocab_size\": 100", with: "\"sliding_window\": 64, \(types), \"vocab_size\": 100")
    let bench = try PatchFixture(config: typed)
    try bench.apply(ModelBuilder.factors(pairs: 16))
    #expect(try bench.config["layer_types"] == full)
    #expect(try bench.config["sliding_window"]?.integer == 64)
    #expect(try !bench.lint().contains { $0.rule.name == "sliding-window-limits-attention" })
    // The default window does not limit 1024 tokens.
    let plain = try PatchFixture(config: ministral)
    try plain.apply(ModelBuilder.factors(pairs: 16))
    #expect(try plain.config["layer_types"] == nil && plain.config["sliding_window"] == nil)

    let all = "\"layer_types\": [\"sliding_attention\", \"sliding_attention\"]"
    let mistral = try PatchFixture(
      config: ModelBuilder.config("mistral", isV5: true).replacing(
        "\"vocab_size\": 100", with: "\"sliding_window\": 64, \(all), \"vocab_size\": 100"))
    try mistral.apply(ModelBuilder.factors(pairs: 16))
    #expect(try mistral.config["sliding_window"] == .null)
    #expect(try mistral.config["layer_types"] == full)
    #expect(try ModelFolder(path: mistral.model).slidingWindows(layers: 2) == [nil, nil])
  }

  /// transformers needs a member of Ministral 3's RoPE parameters that is not about scaling.
  @Test func keepsTheTemperatureOfMinistral3() throws {
    let place = try TemporaryDirectory()
    let factors = try FactorSource(path: Fixture.path("architectures/ministral3.factors.json"))
    func model(_ change: (inout NeedleFolder) throws -> Void) throws -> String {
      var folder = try NeedleFolder("architectures/ministral3")
      try change(&folder)
      return try folder.write(to: place, as: "m\(try FileSystem.names(in: place.path).count)")
    }
    let whole = try model { _ in }
    do {
      let session = try ModelSession(path: whole, exclusive: true)
      let apply = Apply(
        factors.set, factorsSHA256: "", version: "test", options: ApplyOptions())
      try apply.perform(apply.plan(for: session), in: session)
    }
    let session = try ModelSession(path: whole, exclusive: false)
    let config = try JSONDocument(path: "\(whole)/config.json").value
    #expect(config["rope_parameters"]?["llama_4_scaling_beta"]?.double == 0.25)
    #expect(try Lint.findings(session).allSatisfy { $0.rule.severity == .note })
    #expect(try Inspection(session).readings.first { $0.name == "hf" }?.status == .ok)

    for missing in ["llama_4_scaling_beta", "original_max_position_embeddings"] {
      let path = try model { folder in
        try folder.config.set(["rope_parameters", "rope_type"], to: .string("linear"))
        try folder.config.remove(["rope_parameters", missing])
      }
      let readings = try Inspection(ModelSession(path: path, exclusive: false)).readings
      for name in ["hf", "mlx"] where missing == "llama_4_scaling_beta" || name == "hf" {
        let reading = try #require(readings.first { $0.name == name })
        #expect(reading.status == .fails && "\(reading.notes)".contains(missing), "\(reading)")
      }
      #expect {
        _ = try ModelFile(path: path).queryTemperature()
      } throws: {
        "\($0)".contains(missing)
      }
    }
  }

  /// An original window above the window is only read where nothing depends on it.
  @Test func refusesAWindowBelowTheOriginalOne() throws {
    let one = ModelBuilder.factors(pairs: 16).replacing(/"short_factor": [^\]]*\],?/, with: "")
    for (factors, target) in [(one, 32), (ModelBuilder.factors(pairs: 16), 32)] {
      var options = ApplyOptions()
      options.targetWindow = target
      #expect(throws: ModelError.self) {
        try PatchFixture("llama").apply(factors, options: options)
      }
    }
  }

  @Test func replacesFactorsAndRevertsOneApplyAtATime() throws {
    let bench = try PatchFixture("qwen3")
    let original = try snapshot(bench.model)
    _ = try bench.apply(ModelBuilder.factors(pairs: 16))
    let first = try snapshot(bench.model)
    let other = ModelBuilder.factors(pairs: 16).replacing("1.25", with: "1.3")
    #expect(try !bench.apply(other).isEmpty)
    #expect(try bench.revert() == 1)
    #expect(try snapshot(bench.model) == first)
    _ = try bench.apply(other)
    #expect(try bench.revert(all: true) == 2)
    #expect(try snapshot(bench.model) == original)
    #expect(try bench.revert() == 0)
  }

  @Test func refusesToRevertWhatOthersEdited() throws {
    let bench = try PatchFixture("llama")
    _ = try bench.apply(ModelBuilder.factors(pairs: 16))
    var config = try JSONDocument(path: "\(bench.model)/config.json")
    try config.set(["vocab_size"], to: .number(7))
    try bench.folder.write("model/config.json", config.bytes)
    let error = #expect(throws: ModelError.self) { try bench.revert() }
    #expect(error?.kind == .unsafe)
    #expect(error?.message.contains("'vocab_size'") == true)
    #expect(try bench.lint().contains { $0.rule.name == "edited-since-patch" })
  }

  @Test func patchesTheLanguageModelOfAMultimodalConfig() throws {
    let text = ModelBuilder.config("mistral", isV5: false)
    let bench = try PatchFixture(config: "{\"model_type\": \"mistral3\", \"text_config\": \(text)}")
    let before = try snapshot(bench.model)
    try bench.apply(ModelBuilder.factors(pairs: 16))
    #expect(try bench.config["text_config"]?["rope_scaling"]?["type"]?.text == "longrope")
    #expect(try bench.config["rope_scaling"] == nil && bench.config["lrpatch"] != nil)
    let expected: [RuntimeReading.Status] = [.ok, .unsupported]
    #expect(
      try bench.inspect().readings.allSatisfy { $0.isInherent || expected.contains($0.status) })
    _ = try bench.revert()
    #expect(try snapshot(bench.model) == before)
  }

  // MARK: Refusals

  private func refusal(
    _ factors: String, family: String = "llama", config: String? = nil, divergent: Bool = false
  ) throws -> ModelError? {
    let bench = try PatchFixture(config: config ?? ModelBuilder.config(family, isV5: false))
    let before = try snapshot(bench.model)
    var options = ApplyOptions()
    options.allowDivergent = divergent
    do {
      _ = try bench.apply(factors, options: options)
      return nil
    } catch let error as ModelError {
      #expect(try snapshot(bench.model) == before)
      return error
    }
  }

  @Test func refusesFactorsThatDoNotBelongToTheModel() throws {
    #expect(try refusal(ModelBuilder.factors(pairs: 12))?.message.contains("needs 16") == true)
    let theta = ModelBuilder.factors(pairs: 16, extra: ", \"requires\": {\"rope_theta\": 10000}")
    #expect(try refusal(theta)?.message.contains("rope_theta") == true)
    let layers = ModelBuilder.factors(pairs: 16, extra: ", \"requires\": {\"layers\": 3}")
    #expect(try refusal(layers)?.message.contains("3 layers") == true)
    let window = ModelBuilder.factors(pairs: 16).replacing(
      "embeddings\": 256", with: "embeddings\": 512")
    #expect(try refusal(window)?.message.contains("512") == true)
    #expect(
      try refusal(
        ModelBuilder.factors(pairs: 16),
        config: "{\"model_type\": \"gpt2\", \"max_position_embeddings\": 9}")?.message
        .contains("gpt2") == true)
  }

  @Test func refusesWhatNoRuntimeCanExpress() throws {
    let literal = ModelBuilder.factors(pairs: 16, mscale: "{\"long\": 1.3}")
    #expect(try refusal(literal)?.message.contains("MLX-LM") == true)
    #expect(try refusal(literal, divergent: true) == nil)
    let uneven = ModelBuilder.factors(pairs: 16, mscale: "{\"long\": 1.3, \"short\": 1.0}")
    #expect(try refusal(uneven)?.message.contains("transformers 5") == true)
    let start = ModelBuilder.factors(pairs: 16, extra: ", \"start_tokens\": 4")
    #expect(try refusal(start)?.kind == .unsafe)
    #expect(try refusal(start, divergent: true) == nil)
    let list = "[" + Array(repeating: "2.0", count: 16).joined(separator: ",") + "]"
    let bucket = ModelBuilder.factors(
      pairs: 16, extra: ", \"buckets\": [{\"max_length\": 512, \"factor\": \(list)}]")
    #expect(try refusal(bucket)?.kind == .unsafe)
    let ones = "[" + Array(repeating: "1.0", count: 16).joined(separator: ",") + "]"
    let layered =
      "{\"schema\": \"lrpatch.factors/1\", \"max_position_embeddings\": 1024, \"long_factor\": [\(list), \(ones)]}"
    #expect(try refusal(layered)?.kind == .unsafe)
    #expect(try refusal(layered, divergent: true)?.kind == .unsafe)
  }

  @Test func refusesContradictoryConfigs() throws {
    let factors = ModelBuilder.factors(pairs: 16)
    let base = ModelBuilder.config("llama", isV5: false)
    func with(_ members: String) -> String {
      base.replacing("\"vocab_size\": 100", with: "\"vocab_size\": 100, \(members)")
    }
    let theta = with("\"rope_parameters\": {\"rope_theta\": 5.0, \"rope_type\": \"default\"}")
    #expect(try refusal(factors, config: theta)?.message.contains("rope_theta") == true)
    let windows = with(
      "\"original_max_position_embeddings\": 256, \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2.0, \"original_max_position_embeddings\": 128}"
    )
    #expect(try refusal(factors, config: windows)?.message.contains("128") == true)
    let byLayer = with("\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"default\"}}")
    #expect(try refusal(factors, config: byLayer)?.message.contains("layer type") == true)
  }

  @Test func replacesOtherScalingOnlyForItsOwnWindow() throws {
    let llama3 = ModelBuilder.config("llama", isV5: false).replacing(
      "\"max_position_embeddings\": 256",
      with:
        "\"max_position_embeddings\": 2048, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 256}"
    )
    let bench = try PatchFixture(config: llama3)
    let plan = try bench.apply(ModelBuilder.factors(pairs: 16))
    #expect(plan.changes.contains { $0.name == "rope_scaling.rope_type" && $0.old == "\"llama3\"" })
    #expect(try bench.config["rope_scaling"]?["low_freq_factor"] == nil)
    #expect(
      try refusal(
        ModelBuilder.factors(pairs: 16), config: llama3.replacing(": 256}", with: ": 512}")) != nil)
  }

  @Test func refusesSymlinksHardLinksAndHubCaches() throws {
    let factors = ModelBuilder.factors(pairs: 16)
    let linked = try PatchFixture("llama")
    try FileSystem.hardLink("\(linked.model)/config.json", to: "\(linked.folder.path)/second")
    #expect(throws: ModelError.self) { try linked.apply(factors) }

    let cache = try TemporaryDirectory()
    try cache.write(
      "models--org--name/snapshots/abc/config.json", ModelBuilder.config("llama", isV5: false))
    let source = try FactorSource(path: cache.write("factors.json", factors))
    let session = try ModelSession(
      path: "\(cache.path)/models--org--name/snapshots/abc", exclusive: true)
    let apply = Apply(source.set, factorsSHA256: "", version: "test", options: ApplyOptions())
    let error = #expect(throws: ModelError.self) {
      try apply.perform(apply.plan(for: session), in: session)
    }
    #expect(error?.kind == .unsafe)
  }

  @Test func writesACopyThatCarriesItsUndoRecord() throws {
    let bench = try PatchFixture("granite")
    let before = try snapshot(bench.model)
    let source = try FactorSource(
      path: bench.folder.write("f.json", ModelBuilder.factors(pairs: 16)))
    let apply = Apply(
      source.set, factorsSHA256: source.sha256, version: "test", options: ApplyOptions())
    let output = "\(bench.folder.path)/patched"
    do {
      let session = try ModelSession(path: bench.model, exclusive: false)
      let plan = try apply.plan(for: session)
      try apply.writeCopy(plan, of: session, to: output)
      #expect(throws: ModelError.self) { try apply.writeCopy(plan, of: session, to: output) }
    }
    #expect(try snapshot(bench.model) == before)
    #expect(try Revert().perform(in: ModelSession(path: output, exclusive: true)) == 1)
    #expect(try snapshot(output) == before)
  }
}
