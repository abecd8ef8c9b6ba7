import Formats
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Patch

/// What an absent member or key means, and what runtimes refuse: as transformers' config classes
/// and llama.cpp's loader have it.
@Suite("Defaults of the runtimes") struct RuntimeDefaultsTests {
  private static let tokens = (0..<40).map { ($0 * 31) % 90 + 5 }

  /// The scores of some tokens as one runtime computes them.
  private static func scores(_ path: String, as runtime: String = "paper") throws -> [Double] {
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    let reading = try #require(inspection.readings.first { $0.name == runtime })
    let sequence = Scoring.Sequence(
      tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
    var result: [Double] = []
    let forward = ForwardPass(try Transformer(path: path), threads: 1)
    try Scoring(forward, [try RopePolicy(reading)]).run([sequence]) { _, _, scores in
      result = scores.map(\.logProbability)
    }
    return result
  }

  private static func isSame(_ left: [Double], _ right: [Double]) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { abs($0 - $1) < 1e-5 }
  }

  private static func file(
    _ place: TemporaryDirectory, _ base: String, as name: String, setting: [GGUFKey] = [],
    removing: [String] = []
  ) throws -> String {
    let path = Fixture.path("architectures/\(base).gguf")
    return try place.write(
      "\(name).gguf", EditedGGUF.bytes(of: path, setting: setting, removing: removing))
  }

  // MARK: Multipliers

  private static let absences: [(name: String, keys: [String], values: [Float])] = [
    // The fixtures have 2 layers, a hidden size of 32 and heads of 8.
    (
      "minicpm", ["embedding_scale", "residual_scale", "logit_scale"],
      [12, 1.4 / Float(2).squareRoot(), 256 / 32]
    ),
    ("granite", ["attention.scale"], [1 / Float(8).squareRoot()]),
    ("granite", ["residual_scale", "embedding_scale"], [1, 1]),
  ]

  @Test(arguments: absences)
  func absentMultipliersAreThoseOfLlamaCpp(
    _ name: String, _ keys: [String], _ values: [Float]
  ) throws {
    let place = try TemporaryDirectory()
    let names = keys.map { "\(name).\($0)" }
    let absent = try Self.file(place, name, as: "absent", removing: names)
    let given = try Self.file(
      place, name, as: "given", setting: zip(names, values).map { GGUFKey($0, .float32($1)) })
    let found = try Self.scores(absent)
    #expect(Self.isSame(found, try Self.scores(given)))
    #expect(!Self.isSame(found, try Self.scores(Fixture.path("architectures/\(name).gguf"))))
  }

  @Test(arguments: [
    ("minicpm", "residual_scale", Float(1)), ("minicpm", "embedding_scale", 1),
    ("granite", "attention.scale", 1 / Float(8).squareRoot()), ("granite", "residual_scale", 1),
  ])
  func zeroTurnsAMultiplierOff(_ name: String, _ key: String, _ meaning: Float) throws {
    let place = try TemporaryDirectory()
    let zero = try Self.file(
      place, name, as: "zero", setting: [GGUFKey("\(name).\(key)", .float32(0))])
    let given = try Self.file(
      place, name, as: "given", setting: [GGUFKey("\(name).\(key)", .float32(meaning))])
    #expect(Self.isSame(try Self.scores(zero), try Self.scores(given)))
  }

  // MARK: The output matrix

  /// needle-256 with an output matrix that differs from its embeddings.
  private static func headed(tied: Bool?) throws -> NeedleFolder {
    var folder = try NeedleFolder()
    var head = try #require(folder["model.embed_tokens.weight"])
    head.name = "lm_head.weight"
    // Twice each number: one more in the exponent of a bf16 number that is not 0.
    for index in stride(from: 0, to: head.bytes.count, by: 2) {
      let bits = UInt16(head.bytes[index]) | UInt16(head.bytes[index + 1]) << 8
      let twice = bits & 0x7F80 == 0 ? bits : bits + 0x80
      (head.bytes[index], head.bytes[index + 1]) = (UInt8(twice & 0xFF), UInt8(twice >> 8))
    }
    folder.tensors.append(head)
    try folder.config.remove(["tie_word_embeddings"])
    if let tied { try folder.set("tie_word_embeddings", .bool(tied)) }
    return folder
  }

  @Test func eachRuntimeTiesAsItDoes() throws {
    let place = try TemporaryDirectory()
    let tied = try Self.headed(tied: true).write(to: place, as: "tied")
    let untied = try Self.headed(tied: false).write(to: place, as: "untied")
    let own = try Self.scores(untied)
    let shared = try Self.scores(Fixture.path("models/needle-256"))
    #expect(!Self.isSame(own, shared))
    for (runtime, ties) in [
      ("paper", false), ("hf", false), ("hf4", true), ("vllm", true), ("sglang", true),
      ("mlx", true),
    ] {
      let found = try Self.scores(tied, as: runtime)
      #expect(Self.isSame(found, ties ? shared : own), "\(runtime)")
    }
    #expect(Self.isSame(try Self.scores(untied, as: "mlx"), own))
    // Without the member, transformers' class does not tie, and MLX-LM's does.
    let silent = try Self.headed(tied: nil).write(to: place, as: "silent")
    #expect(Self.isSame(try Self.scores(silent, as: "hf4"), own))
    #expect(Self.isSame(try Self.scores(silent, as: "mlx"), shared))
  }

  @Test(arguments: [false, nil]) func aMissingHeadIsRefused(_ tied: Bool?) throws {
    let place = try TemporaryDirectory()
    var folder = try Self.headed(tied: tied)
    folder.tensors.removeLast()
    let path = try folder.write(to: place)
    try expectRefusal(path, "lm_head.weight")
  }

  // MARK: Sliding windows

  private static func patterns(
    _ change: (inout NeedleFolder) throws -> Void
  ) throws -> [SelfAttention.Pattern] {
    var folder = try NeedleFolder("architectures/qwen2")
    try folder.config.remove(["layer_types"])
    try folder.set("use_sliding_window", .bool(true))
    try folder.set("sliding_window", .number(16))
    try change(&folder)
    let place = try TemporaryDirectory()
    return try Transformer(path: folder.write(to: place)).layers.map(\.attention.pattern)
  }

  @Test func windowsAreThoseOfTheConfigClass() throws {
    let all = SelfAttention.Pattern.all
    #expect(
      try Self.patterns { try $0.set("max_window_layers", .number(0)) }
        == [.window(16), .window(16)])
    #expect(
      try Self.patterns { try $0.set("max_window_layers", .number(1)) } == [all, .window(16)])
    // The class has 28 by default, and a window of 4096.
    #expect(try Self.patterns { try $0.config.remove(["max_window_layers"]) } == [all, all])
    #expect(
      try Self.patterns {
        try $0.set("max_window_layers", .number(0))
        try $0.config.remove(["sliding_window"])
      } == [.window(4096), .window(4096)])
    let mistral = try NeedleFolder("architectures/mistral")
    for (value, window) in [(nil, 4096), (JSONValue.null, nil), (.number(8), 8)] {
      var folder = mistral
      try folder.config.remove(["sliding_window"])
      if let value { try folder.set("sliding_window", value) }
      let place = try TemporaryDirectory()
      let model = try Transformer(path: folder.write(to: place))
      #expect(
        model.layers.allSatisfy { $0.attention.pattern == window.map { .window($0) } ?? .all })
      // MLX-LM has no window for it.
      let other = model.applying(model.variant(of: "mlx"))
      #expect(other.layers.allSatisfy { $0.attention.pattern == .all })
    }
  }

  @Test func contradictingLayerTypesAreRefused() throws {
    let types = ["sliding_attention", "full_attention"].map { JSONValue.string($0) }
    for name in ["qwen2", "qwen3", "smollm3"] {
      var folder = try NeedleFolder("architectures/\(name)")
      let layers = try #require(folder.config.value["num_hidden_layers"]?.integer)
      try folder.set("layer_types", .array((0..<layers).map { types[$0 % 2] }))
      let place = try TemporaryDirectory()
      try expectRefusal(folder.write(to: place), "layer_types")
    }
  }

  // MARK: What runtimes do not compute

  private func expectRefusal(_ path: String, _ words: String...) throws {
    do {
      _ = try Transformer(path: path)
      Issue.record("runs, expected an error about \(words)")
    } catch {
      for word in words { #expect("\(error)".contains(word), "\(error)") }
    }
  }

  @Test(arguments: [
    ("llama", GGUFKey("llama.attention.causal", .bool(false)), "causal"),
    ("qwen2", GGUFKey("qwen2.expert_count", .uint32(4)), "expert_count"),
    ("llama", GGUFKey("llama.nextn_predict_layers", .uint32(1)), "nextn_predict_layers"),
    ("granite", GGUFKey("granite.rope.scaling.finetuned", .bool(false)), "finetuned"),
    ("llama", GGUFKey("llama.attention.head_count_kv", .uint32(0)), "key heads"),
    ("llama", GGUFKey("llama.attention.value_length", .uint32(4)), "values"),
    ("llama", GGUFKey("llama.rope.dimension_count", .uint32(4)), "rotated"),
    ("qwen2", GGUFKey("qwen2.rope.dimension_count", .uint32(4)), "rotated"),
    ("phi3", GGUFKey("phi3.attention.key_length", .uint32(4)), "head"),
    ("llama", GGUFKey("llama.expert_used_count", .uint32(2)), "expert_used_count"),
  ])
  func filesThatMeanAnotherModelAreRefused(
    _ name: String, _ key: GGUFKey, _ word: String
  ) throws {
    let place = try TemporaryDirectory()
    try expectRefusal(try Self.file(place, name, as: "m", setting: [key]), word)
  }

  @Test func keysThatMeanNothingAreNotRefused() throws {
    let place = try TemporaryDirectory()
    let keys = [
      GGUFKey("llama.attention.causal", .bool(true)), GGUFKey("llama.expert_count", .uint32(0)),
      GGUFKey("llama.nextn_predict_layers", .uint32(0)),
    ]
    let path = try Self.file(place, "llama", as: "m", setting: keys)
    #expect(
      Self.isSame(try Self.scores(path), try Self.scores(Fixture.path("architectures/llama.gguf"))))
  }

  @Test func biasesThatTheClassLacksAreRefused() throws {
    for (name, role, members) in [
      ("llama", "self_attn.q_proj", [JSONMember("attention_bias", .bool(false))]),
      ("mistral", "self_attn.q_proj", []), ("qwen2", "self_attn.o_proj", []),
      ("llama", "input_layernorm", []),
    ] as [(String, String, [JSONMember])] {
      var folder = try NeedleFolder("architectures/\(name)")
      for member in members { try folder.set(member.name, member.value) }
      let weight = try #require(folder["model.layers.0.\(role).weight"])
      folder.tensors.append(
        NeedleFolder.Tensor(
          name: "model.layers.0.\(role).bias", type: .f32, shape: [weight.shape[0]],
          bytes: Array(repeating: 0, count: 4 * weight.shape[0])))
      let place = try TemporaryDirectory()
      try expectRefusal(folder.write(to: place), "\(role).bias")
    }
  }

  @Test func biasesThatTheConfigTurnsOnMustBeThere() throws {
    var folder = try NeedleFolder("architectures/llama")
    try folder.set("attention_bias", .bool(true))
    let place = try TemporaryDirectory()
    try expectRefusal(folder.write(to: place), "q_proj.bias", "turns on biases")
  }

  @Test func otherFoldersThatNoRuntimeComputesAreRefused() throws {
    for (name, member, word) in [
      ("models/needle-256", JSONMember("vocab_size", .number(1088)), "1024 rows"),
      (
        "models/needle-256", JSONMember("partial_rotary_factor", .number(0.5)), "rotate whole heads"
      ),
      ("architectures/minicpm3", JSONMember("num_key_value_heads", .number(1)), "key heads"),
      ("architectures/mistral", JSONMember("sliding_window", .number(0)), "sliding_window"),
      ("models/needle-256", JSONMember("tie_word_embeddings", .null), "tie_word_embeddings"),
      ("architectures/qwen2", JSONMember("is_causal", .bool(false)), "is_causal"),
      ("models/needle-256", JSONMember("hidden_act", .null), "hidden_act"),
      ("models/needle-256", JSONMember("rope_theta", .null), "rope_theta"),
      ("models/needle-256", JSONMember("rope_scaling", .string("linear")), "expected an object"),
      (
        "models/needle-256", JSONMember("rope_scaling", .object(["rope_type": .null])),
        "expected a string"
      ),
      ("architectures/granite", JSONMember("logits_scaling", .number(0)), "logits_scaling"),
      (
        "architectures/qwen2", JSONMember("layer_types", .array([.string("full_attention")])),
        "1 entries for 2 layers"
      ),
      ("models/needle-256", JSONMember("vocab_size", .null), "vocab_size"),
      ("architectures/phi3small", JSONMember("rope_position_scale", .number(2)), "positions"),
      (
        "architectures/phi3small", JSONMember("blocksparse_homo_head_pattern", .bool(true)), "heads"
      ),
    ] {
      var folder = try NeedleFolder(name)
      try folder.set(member.name, member.value)
      let place = try TemporaryDirectory()
      try expectRefusal(folder.write(to: place), word)
    }
  }
}
