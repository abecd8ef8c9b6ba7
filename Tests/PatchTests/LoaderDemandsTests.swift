import Formats
import Models
import Patch
import TestSupport
import Testing

/// Keys of GGUF files as llama.cpp's loader reads them, or refuses them.
@Suite("Demands of llama.cpp's loader") struct LoaderDemandsTests {
  private static let base = Fixture.path("models/needle-256.gguf")

  private static func inspection(
    _ place: TemporaryDirectory, _ set: [GGUFKey], removing: [String] = []
  ) throws -> Inspection {
    let path = try place.write(
      "m.gguf", EditedGGUF.bytes(of: base, setting: set, removing: removing))
    return try Inspection(ModelSession(path: path, exclusive: false))
  }

  private static let mistyped: [GGUFKey] = [
    GGUFKey("llama.rope.freq_base", .float64(10_000)),
    GGUFKey("llama.rope.freq_base", .uint32(10_000)),
    GGUFKey("llama.context_length", .uint64(256)),
    GGUFKey("llama.block_count", .uint16(4)),
    GGUFKey("llama.attention.layer_norm_rms_epsilon", .float64(1e-5)),
    GGUFKey("llama.rope.scaling.factor", .uint32(2)),
    GGUFKey("tokenizer.ggml.bos_token_id", .int32(0)),
    GGUFKey("tokenizer.ggml.add_bos_token", .uint8(1)),
  ]

  @Test(arguments: mistyped) func keysOfOtherTypesAreNamed(_ key: GGUFKey) throws {
    let place = try TemporaryDirectory()
    let reading = try Self.inspection(place, [key]).readings[1]
    #expect(reading.name == "llama.cpp" && reading.status == .fails)
    #expect(reading.notes.joined().contains(key.name), "\(reading.notes)")
    let findings = try Lint.findings(
      ModelSession(path: "\(place.path)/m.gguf", exclusive: false))
    #expect(findings.contains { $0.rule.name == "runtime-fails" && $0.message.contains(key.name) })
  }

  @Test(arguments: mistyped) func applyWritesTheTypesThatAreAccepted(_ key: GGUFKey) throws {
    let bench = try PatchFixture(bytes: EditedGGUF.bytes(of: Self.base, setting: [key]))
    let before = try bench.bytes
    try bench.apply(ModelBuilder.factors(pairs: 16))
    let inspection = try Inspection(ModelSession(path: bench.model, exclusive: false))
    #expect(inspection.readings[1].status == .ok, "\(inspection.readings[1].notes)")
    #expect(try bench.revert() == 1)
    #expect(try bench.bytes == before)
  }

  @Test func valuesThatNoAcceptedTypeHoldsAreRefused() throws {
    let key = GGUFKey("tokenizer.ggml.bos_token_id", .int64(-1))
    let bench = try PatchFixture(bytes: EditedGGUF.bytes(of: Self.base, setting: [key]))
    #expect {
      try bench.apply(ModelBuilder.factors(pairs: 16))
    } throws: {
      "\($0)".contains(key.name)
    }
  }

  /// mistral.rs obeys a sliding window that llama.cpp ignores, so `apply` makes it the whole window.
  @Test(arguments: [false, true])
  func aWindowThatLlamaCppIgnoresIsWidenedUnlessItIsKept(_ kept: Bool) throws {
    let bench = try PatchFixture(fixture: "architectures/phi3.gguf")
    let before = try bench.bytes
    let factors = String(
      decoding: try FileSystem.contents(of: Fixture.path("architectures/phi3.factors.json")),
      as: UTF8.self)
    var options = ApplyOptions()
    options.keepSlidingWindow = kept
    try bench.apply(factors, options: options)
    let readings = try bench.inspect().readings
    let window = try #require(bench.header[key: "phi3.context_length"])
    #expect(
      try bench.header[key: "phi3.attention.sliding_window"] == (kept ? .uint32(48) : window))
    let reading = try #require(readings.first { $0.name == Runtime.mistralRS.rawValue })
    #expect(reading.long != nil)
    #expect((reading.uncomputed?.contains("sliding_window (48)") == true) == kept)
    #expect(reading.notes.contains { $0.hasPrefix("verify cannot follow it") } == kept)
    #expect(readings.allSatisfy { $0.name == reading.name || $0.uncomputed == nil })
    let rules = try bench.lint().map(\.rule.name)
    #expect(rules.contains("sliding-window-limits-attention") == kept)
    #expect(try bench.revert() == 1)
    #expect(try bench.bytes == before)
  }

  /// The paper's rule is what llama.cpp computes if the file has no factors.
  @Test(arguments: [
    ([GGUFKey("llama.rope.scaling.factor", .float32(2))], "linear", 1.0),
    ([GGUFKey("llama.rope.scale_linear", .float32(2))], "linear", 1.0),
    ([GGUFKey("llama.rope.scaling.attn_factor", .float32(1.5))], "none", 1.5),
    (
      [
        GGUFKey("llama.rope.scaling.type", .string("yarn")),
        GGUFKey("llama.rope.scaling.factor", .float32(4)),
      ], "yarn", 1.1386294
    ),
  ])
  func scalingsOfFilesAreShownAndRun(
    _ keys: [GGUFKey], _ table: String, _ mscale: Double
  ) throws {
    let inspection = try Self.inspection(TemporaryDirectory(), keys)
    for reading in inspection.readings where reading.status != .unsupported {
      let used = try #require(reading.long)
      #expect(used.name == table && abs(used.mscale - mscale) < 1e-6, "\(reading.name)")
    }
    #expect(inspection.geometry.scalingType == (table == "none" ? "default" : table))
  }

  @Test func tablesOfAnotherTypeAreRefused() throws {
    let place = try TemporaryDirectory()
    let halves = [UInt8](repeating: 0x3C, count: 32)
    for (name, type, data) in [
      ("rope_freqs.weight", UInt32(1), halves), ("rope_factors_long.weight", 1, halves),
    ] {
      let file = GGUFBuilder.llama().tensor(name, shape: [16], type: type, data: data)
      let path = try place.write("m.gguf", file.bytes)
      #expect {
        _ = try GGUFModel(path: path)
      } throws: {
        "\($0)".contains(name) && "\($0)".contains("F16")
      }
    }
  }
}
