import Formats
import Patch
import TestSupport
import Testing

/// Tests every rule of the linter with a model that breaks it.
@Suite("Lint") struct LintTests {
  private static let list =
    "[" + (0..<16).map { String(1 + Double($0)) }.joined(separator: ", ") + "]"
  private static let ones = "[" + (0..<16).map { _ in "1.0" }.joined(separator: ", ") + "]"

  /// A consistent llama config; each case changes one thing.
  private static func config(
    type: String = "llama",
    top: String = "\"rope_theta\": 20000.0, \"original_max_position_embeddings\": 256",
    scaling: String? = nil, extra: String = ""
  ) -> String {
    let scaling = scaling ?? Self.scaling()
    return """
      {"model_type": "\(type)", "hidden_size": 128, "num_attention_heads": 4, "num_hidden_layers": 2,
       "max_position_embeddings": 1024, \(top), "rope_scaling": \(scaling)\(extra)}
      """
  }

  private static func scaling(
    types: String = "\"rope_type\": \"longrope\", \"type\": \"longrope\"",
    lists: String = "\"long_factor\": \(list), \"short_factor\": \(ones)",
    window: String = "\"original_max_position_embeddings\": 256",
    factor: String = "\"factor\": 4.0", more: String = ""
  ) -> String {
    "{" + [types, lists, window, factor, more].filter { !$0.isEmpty }.joined(separator: ", ") + "}"
  }

  static let configs: [(String, String)] = [
    ("runtime-fails", config(scaling: scaling(types: "\"type\": \"su\""))),
    ("rope-type-legacy", config(scaling: scaling(types: "\"type\": \"su\""))),
    (
      "runtime-ignores-factors",
      config(scaling: "null", extra: ", \"rope_parameters\": \(scaling())")
    ),
    ("rope-parameters-only", config(scaling: "null", extra: ", \"rope_parameters\": \(scaling())")),
    ("runtime-diverges", config(scaling: scaling(factor: "\"factor\": 2.0"))),
    ("factor-is-not-the-ratio", config(scaling: scaling(factor: "\"factor\": 2.0"))),
    ("factors-missing", config(scaling: scaling(lists: ""))),
    (
      "factor-count",
      config(scaling: scaling(lists: "\"long_factor\": [1.0, 2.0], \"short_factor\": [1.0, 1.0]"))
    ),
    (
      "factors-not-monotone",
      config(
        scaling: scaling(
          lists:
            "\"long_factor\": \(ones.replacing("[1.0", with: "[2.0")), \"short_factor\": \(ones)"))
    ),
    (
      "factor-below-one",
      config(
        scaling: scaling(
          lists:
            "\"long_factor\": \(list.replacing("[1.0", with: "[0.5")), \"short_factor\": \(ones)"))
    ),
    (
      "window-not-extended",
      config().replacing(
        "\"max_position_embeddings\": 1024", with: "\"max_position_embeddings\": 256")
    ),
    ("short-inputs-under-long-factors", config()),
    ("mscale-on-short-inputs", config()),
    ("cache-across-the-window", config()),
    ("runtime-lacks-factors", config()),
    (
      "chunks-within-the-window",
      config().replacing(": 256", with: ": 16384").replacing(": 1024", with: ": 65536")
    ),
    (
      "mscale-not-derived",
      config(
        scaling: scaling(
          more: "\"attention_factor\": 1.3, \"long_mscale\": 1.3, \"short_mscale\": 1.3"))
    ),
    (
      "mscale-differs-by-length",
      config(scaling: scaling(more: "\"long_mscale\": 1.3, \"short_mscale\": 1.0"))
    ),
    ("config-invalid", "{\"a\": 1, \"a\": 2}"),
    ("byte-order-mark", "\u{FEFF}" + config()),
    ("rope-type-names", config(type: "granite", scaling: scaling(types: "\"type\": \"longrope\""))),
    ("original-window-not-nested", config(scaling: scaling(window: ""))),
    ("original-window-not-top-level", config(top: "\"rope_theta\": 20000.0")),
    (
      "rope-theta-lost",
      config(
        top: "\"original_max_position_embeddings\": 256",
        extra: ", \"rope_parameters\": \(scaling(more: "\"rope_theta\": 20000.0"))")
    ),
    (
      "partial-rotary-factor-lost",
      config(extra: ", \"rope_parameters\": \(scaling(more: "\"partial_rotary_factor\": 1.0"))")
    ),
    (
      "scaling-objects-differ", config(extra: ", \"rope_parameters\": {\"rope_type\": \"default\"}")
    ),
    ("factor-without-fraction", config(scaling: scaling(factor: "\"factor\": 4"))),
    ("unknown-scaling-key", config(scaling: scaling(more: "\"attn_factor\": 1.1"))),
    (
      "sliding-window-limits-attention", config(type: "mistral", extra: ", \"sliding_window\": 512")
    ),
    ("remote-code", config(extra: ", \"auto_map\": {}")),
    (
      "phimoe-short-factors-only",
      config(
        type: "phimoe",
        scaling: scaling(
          more: "\"long_mscale\": 1.118033988749895, \"short_mscale\": 1.118033988749895"))
    ),
  ]

  private func names(_ folder: TemporaryDirectory, _ model: String) throws -> [String] {
    try Lint.findings(ModelSession(path: "\(folder.path)/\(model)", exclusive: false)).map(
      \.rule.name)
  }

  @Test(arguments: configs) func finds(_ rule: String, _ config: String) throws {
    let folder = try TemporaryDirectory()
    try folder.write("m/config.json", config)
    let found = try names(folder, "m")
    #expect(found.contains(rule), "\(found)")
  }

  @Test func findsNothingWorseThanNotesInAConsistentConfig() throws {
    let folder = try TemporaryDirectory()
    try folder.write("m/config.json", Self.config())
    let findings = try Lint.findings(ModelSession(path: "\(folder.path)/m", exclusive: false))
    #expect(findings.allSatisfy { $0.rule.severity == .note }, "\(findings)")
  }

  @Test func findsWhatOtherFilesHide() throws {
    let folder = try TemporaryDirectory()
    try folder.write("m/config.json", Self.config())
    try folder.write("m/tokenizer_config.json", "{\"model_max_length\": 256}")
    try folder.write("m/model.safetensors", SafetensorsBuilder.file("{\"__metadata__\":{}}"))
    let found = try names(folder, "m")
    #expect(found.contains("tokenizer-limits-length"))
    #expect(found.contains("weights-unaligned") && found.contains("weights-empty-metadata"))
    try folder.write("m/model.safetensors", [1, 2, 3])
    #expect(try names(folder, "m").contains("weights-invalid"))
  }

  // MARK: GGUF

  private static let longrope = GGUFBuilder.llama(window: 1024).key(
    "llama.rope.scaling.type", "longrope"
  )
  .key("llama.rope.scaling.original_context_length", 256).key(
    "llama.rope.scaling.attn_factor", Float(1.118034))
  private static let values = (0..<16).map { Float(1 + $0) }
  private static func tables(_ builder: GGUFBuilder) -> GGUFBuilder {
    builder.floats("rope_factors_long.weight", values).floats(
      "rope_factors_short.weight", values.map { _ in 1 })
  }

  static let files: [(String, GGUFBuilder)] = [
    ("gguf-factor-tensors-missing", longrope.floats("a", [1])),
    ("gguf-one-factor-tensor", longrope.floats("rope_factors_long.weight", values)),
    ("gguf-architecture-takes-no-factors", tables(GGUFBuilder.llama(architecture: "qwen2"))),
    (
      "gguf-original-window-missing",
      tables(GGUFBuilder.llama(window: 1024).key("llama.rope.scaling.type", "longrope"))
    ),
    (
      "gguf-attn-factor-missing",
      tables(
        GGUFBuilder.llama(window: 1024).key("llama.rope.scaling.type", "longrope")
          .key("llama.rope.scaling.original_context_length", 256))
    ),
    ("gguf-scaled-twice", tables(longrope.key("llama.rope.scaling.factor", Float(4)))),
    (
      "gguf-nested-array",
      longrope.key(
        "nested", type: 9,
        GGUFBuilder.little(UInt32(9)) + GGUFBuilder.little(UInt64(1))
          + GGUFBuilder.little(UInt32(0))
          + GGUFBuilder.little(UInt64(1)) + [1])
    ),
    (
      "gguf-rope-switched-off",
      tables(
        GGUFBuilder.llama(window: 1024, architecture: "granite").key(
          "granite.rope.scaling.type", "longrope"
        )
        .key("granite.rope.scaling.finetuned", type: 7, [0]))
    ),
    ("gguf-long-by-default", tables(longrope)),
    (
      "gguf-window-not-a-multiple-of-256",
      tables(
        GGUFBuilder.llama(window: 1024).key("llama.rope.scaling.type", "longrope")
          .key("llama.rope.scaling.original_context_length", 300).key(
            "llama.rope.scaling.attn_factor", Float(1)))
    ),
    ("runtime-fails", tables(GGUFBuilder.llama())),
    ("runtime-fails", tables(longrope).floats("rope_freqs.weight", values)),
    ("runtime-fails", GGUFBuilder.llama().key("llama.rope.scaling.type", "su").floats("a", [1])),
    (
      "factor-count",
      longrope.floats("rope_factors_long.weight", [1, 2]).floats(
        "rope_factors_short.weight", [1, 1])
    ),
  ]

  @Test(arguments: files) func findsInAFile(_ rule: String, _ builder: GGUFBuilder) throws {
    let folder = try TemporaryDirectory()
    try folder.write("m.gguf", builder.bytes)
    let found = try names(folder, "m.gguf")
    #expect(found.contains(rule), "\(found)")
  }

  @Test func everyRuleIsFoundByATest() {
    let elsewhere: Set = [
      "tokenizer-limits-length", "weights-invalid", "weights-unaligned", "weights-empty-metadata",
      "edited-since-patch",
      // In VerifyTests and ConvertTests, whose modules find them.
      "cannot-be-run", "no-forward-pass", "token-beyond-vocabulary", "weights-missing",
      "weights-without-index", "two-sets-of-weights", "tied-head", "no-gguf",
    ]
    let tested = Set(Self.configs.map(\.0) + Self.files.map(\.0)).union(elsewhere)
    #expect(Set(LintRule.all.map(\.name)) == tested)
  }
}
