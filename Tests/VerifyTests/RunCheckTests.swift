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

    var misshapen = base
    misshapen.tensors[3].shape = [misshapen.tensors[3].shape.reduce(1, *)]
    #expect(try Self.findings(misshapen.write(to: place, as: "bad")) == ["cannot-be-run"])

    var small = base
    try small.set("model_type", .string("ministral"))
    #expect(try Self.findings(small.write(to: place, as: "other")).contains("no-forward-pass"))
  }

  @Test(arguments: [
    ("bitsandbytes", JSONMember("load_in_8bit", .bool(true)), "dequantize"),
    ("gptq", JSONMember("bits", .number(4)), "unquantised"),
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

  /// 300 folders with a fixed seed: errors of lint, if and only if `verify` refuses the model.
  @Test func comesToTheVerdictOfVerify() throws {
    var random = Seeded(20_261_127)
    let base = try NeedleFolder("architectures/llama")
    var (running, refused) = (0, 0)
    for number in 0..<300 {
      var folder = base
      try Self.mutate(&folder, &random)
      let place = try TemporaryDirectory()
      let path = try folder.write(to: place)
      let errors = try Self.findings(path).filter { name in
        LintRule.all.contains {
          $0.name == name && ($0.severity == .error || $0.name == "no-forward-pass")
        }
      }
      let refusal: (any Error)?
      do {
        _ = try VerifyJob(Self.options(path))
        refusal = nil
      } catch { refusal = error }
      // A finding about some runtime's reading does not keep the others from running.
      let stops = errors.filter {
        ["cannot-be-run", "config-invalid", "no-forward-pass"].contains($0)
      }
      #expect(
        stops.isEmpty == (refusal == nil),
        "\(number): \(errors), but \(String(describing: refusal))")
      if refusal == nil { running += 1 } else { refused += 1 }
    }
    #expect(running > 60 && refused > 120, "\(running) run, \(refused) are refused")
  }
}
