import Formats
import Models
import Patch
import TestSupport
import Testing
import Verify

/// `lint` opens a model as `verify` does, and must come to the same verdict.
@Suite("What lint says of running a model") struct RunCheckTests {
  private static func findings(_ path: String) throws -> [String] {
    let session = try ModelSession(path: path, exclusive: false)
    return try (Lint.findings(session) + RunCheck.findings(session)).map(\.rule.name)
  }

  private static func options(_ path: String) -> VerifyOptions {
    var options = VerifyOptions(model: path)
    options.lengths = [64]
    return options
  }

  @Test func findsWhatKeepsAFolderFromRunning() throws {
    let place = try TemporaryDirectory()
    let base = try NeedleFolder()
    #expect(try Self.findings(base.write(to: place, as: "good")).isEmpty)

    var tied = base
    var head = try #require(base["model.embed_tokens.weight"])
    head.name = "lm_head.weight"
    tied.tensors.append(head)
    #expect(try Self.findings(tied.write(to: place, as: "tied")) == ["tied-head"])

    let numbered = try base.write(
      to: place, as: "numbered", shards: ["model-00001-of-00001.safetensors": base.tensors])
    #expect(try Self.findings(numbered) == ["weights-without-index"])
    #expect(
      try Self.findings(base.write(to: place, as: "empty", shards: [:])) == ["weights-missing"])

    let shards = ["model-00001-of-00001.safetensors": base.tensors]
    var indexed = base
    indexed.files[SafetensorsFolder.indexName] = NeedleFolder.index(shards)
    let stray = NeedleFolder.Tensor(name: "left.over", type: .u8, shape: [1], bytes: [0])
    let second = try indexed.write(
      to: place, as: "second",
      shards: shards.merging(["model.safetensors": [stray]]) { first, _ in first })
    #expect(try Self.findings(second) == ["two-sets-of-weights"])

    let pickle = try base.write(to: place, as: "pickle", shards: [:])
    try place.write("pickle/pytorch_model.bin", "x")
    #expect(try Self.findings(pickle) == ["cannot-be-run"])

    var misshapen = base
    misshapen.tensors[3].shape = [misshapen.tensors[3].shape.reduce(1, *)]
    #expect(try Self.findings(misshapen.write(to: place, as: "bad")) == ["cannot-be-run"])

    var small = base
    try small.set("model_type", .string("ministral"))
    #expect(try Self.findings(small.write(to: place, as: "other")).contains("no-forward-pass"))
  }

  @Test(arguments: [
    ("bitsandbytes", JSONMember("load_in_8bit", .bool(true)), "dequantize"),
    ("gptq", JSONMember("bits", .number(5)), "unquantised"),
    ("bitnet", JSONMember("bits", .number(2)), "unquantised"),
    ("mlx", JSONMember("bits", .number(4)), "mlx_lm"),
  ]) func quantisedWeightsAreNamed(_ method: String, _ member: JSONMember, _ remedy: String) throws
  {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    try folder.set(
      "quantization_config",
      .object([JSONMember("quant_method", .string(method)), member]))
    let session = try ModelSession(path: folder.write(to: place), exclusive: false)
    let finding = try #require(try RunCheck.findings(session).first)
    #expect(finding.rule.name == "cannot-be-run")
    #expect(finding.message.contains(remedy) && finding.message.contains("Patching"))
  }

  // MARK: Mutations

  /// What a mutation replaces a number of a config by.
  private static let numbers: [JSONValue] = [
    .number(0), .number(1), .number(-1), .number(2), .number(3), .number(4), .number(64),
    .number(127), .number(1024), .number(0.5), .null, .string("x"), .bool(true), .array([]),
    .number("NaN"),
  ]
  private static let members = [
    "num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads",
    "num_key_value_heads", "head_dim", "vocab_size", "rms_norm_eps", "max_position_embeddings",
    "rope_theta", "partial_rotary_factor", "tie_word_embeddings", "attention_bias", "hidden_act",
    "model_type", "rope_scaling", "sliding_window", "quantization_config",
  ]

  /// One change of a folder: a member of its config, or a tensor.
  private static func mutate(_ folder: inout NeedleFolder, _ random: inout Seeded) throws {
    let index = Int.random(in: folder.tensors.indices, using: &random)
    switch Int.random(in: 0..<8, using: &random) {
    case 0: folder.tensors.remove(at: index)
    case 1: folder.tensors[index].name += "x"
    case 2: folder.tensors[index].shape.reverse()
    case 3:
      var copy = folder.tensors[index]
      copy.name = copy.name.replacing(".weight", with: ".bias")
      folder.tensors.append(copy)
    default:
      let name = members.randomElement(using: &random) ?? ""
      try folder.set(name, numbers.randomElement(using: &random) ?? .null)
    }
  }

  /// Whether lint finds what stops `verify`, and whether `verify` refuses the model.
  private static func verdicts(_ path: String) throws -> (lint: [String], verify: (any Error)?) {
    // A finding about some runtime's reading does not keep the others from running.
    let stops: Set = ["cannot-be-run", "config-invalid", "no-forward-pass", "weights-missing"]
    let found: [String]
    do { found = try findings(path).filter(stops.contains) } catch { found = ["\(error)"] }
    do { _ = try VerifyJob(options(path)) } catch { return (found, error) }
    return (found, nil)
  }

  /// 300 models with a fixed seed: errors of lint, if and only if `verify` refuses the model.
  @Test func comesToTheVerdictOfVerifyOnFolders() throws {
    var random = Seeded(20_261_127)
    let base = try NeedleFolder("architectures/llama")
    var refused = 0
    for number in 0..<150 {
      var folder = base
      try Self.mutate(&folder, &random)
      let place = try TemporaryDirectory()
      let (lint, refusal) = try Self.verdicts(folder.write(to: place))
      #expect(
        lint.isEmpty == (refusal == nil), "\(number): \(lint), \(String(describing: refusal))")
      refused += refusal == nil ? 0 : 1
    }
    #expect(refused > 50 && refused < 140, "\(refused) of 150 are refused")
  }

  private static let keys = [
    "context_length", "embedding_length", "block_count", "feed_forward_length",
    "attention.head_count", "attention.head_count_kv", "attention.key_length",
    "attention.value_length", "attention.layer_norm_rms_epsilon", "rope.freq_base",
    "rope.dimension_count", "rope.scaling.type", "rope.scaling.factor", "attention.causal",
    "expert_count", "vocab_size",
  ]
  private static let values: [GGUFValue] = [
    .uint32(0), .uint32(1), .uint32(2), .uint32(4), .uint32(12), .uint32(64), .uint32(.max),
    .uint64(64), .int32(-1), .float32(1e-5), .float32(10_000), .float32(.nan), .float64(10_000),
    .bool(false), .bool(true), .string("yarn"), .string("none"), .string("x"),
  ]

  @Test func comesToTheVerdictOfVerifyOnFiles() throws {
    var random = Seeded(1_127)
    var refused = 0
    for number in 0..<150 {
      let name = "llama.\(Self.keys.randomElement(using: &random) ?? "")"
      let removes = Int.random(in: 0..<4, using: &random) == 0
      let value = Self.values.randomElement(using: &random) ?? .bool(true)
      let place = try TemporaryDirectory()
      let path = try place.write(
        "m.gguf",
        EditedGGUF.bytes(
          of: Fixture.path("architectures/llama.gguf"),
          setting: removes ? [] : [GGUFKey(name, value)], removing: removes ? [name] : []))
      let (lint, refusal) = try Self.verdicts(path)
      #expect(
        lint.isEmpty == (refusal == nil),
        "\(number), \(name) \(value): \(lint), \(String(describing: refusal))")
      refused += refusal == nil ? 0 : 1
    }
    #expect(refused > 50 && refused < 140, "\(refused) of 150 are refused")
  }

  @Test func aBaselineThatCannotBeRunIsNamed() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder("architectures/llama")
    let model = try folder.write(to: place)
    try folder.setScaling(.object(["rope_type": .string("spiral"), "factor": .number(2.0)]))
    var options = Self.options(model)
    options.baseline = .model(try folder.write(to: place, as: "baseline"))
    #expect {
      _ = try VerifyJob(options)
    } throws: {
      "\($0)".contains("/baseline: no runtime can be followed") && "\($0)".contains("spiral")
    }
  }
}
