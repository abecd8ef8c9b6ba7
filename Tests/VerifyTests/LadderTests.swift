import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch
@testable import Verify

/// What ladders and certificates are made of: errors of comparisons, plans, samples, limits.
@Suite("Ladders") struct LadderTests {
  private static let model = Fixture.path("models/needle-256-x4")

  private func scoring(_ name: String) throws -> Scoring {
    let path = Fixture.path("models/\(name)")
    let policy = try RopePolicy(
      #require(try Inspection(ModelSession(path: path, exclusive: false)).readings.first))
    let pass = ForwardPass(try Transformer(path: path), threads: 2)
    return Scoring(pass, [policy])
  }

  private func measure(length: Int) throws -> Perplexity {
    let text = String(
      decoding: try FileSystem.contents(of: Fixture.path("text/moby-dick-opening.txt")),
      as: UTF8.self)
    return try Perplexity(
      Tokenizer(path: Self.model).encode(text), length: length, method: .truncate, beginning: 0,
      maximumWindows: 2)
  }

  /// The errors of a comparison are those of the spread over its tokens.
  @Test func comparisonsHaveTheErrorsOfTheirTokens() throws {
    let (own, other) = (try scoring("needle-256-x4"), try scoring("needle-256"))
    let measure = try measure(length: 128)
    var perplexity: Perplexity.Result?
    try Perplexity.run([measure], own) { perplexity = $0 }
    var comparison: Retention.Result?
    try Retention(measure, parts: 4).run(own, baseline: other) { comparison = $0 }
    let (alone, beside) = (try #require(perplexity), try #require(comparison))
    let errors = try #require(beside.errors)
    #expect(abs(beside.perplexity / alone.value - 1) < 1e-6)
    #expect(abs(errors.perplexity / alone.standardError - 1) < 1e-5)
    // Both models find the same tokens hard, so their ratio is known better than either.
    #expect(errors.ratio > 0 && errors.ratio < errors.perplexity / beside.perplexity)
    #expect(errors.divergence > 0 && errors.divergence < beside.divergence)
    #expect(beside.parts.count == 4 && beside.parts.allSatisfy { $0.errors != nil })
  }

  /// A baseline's kept states change no number, and are computed once.
  @Test func keptStatesChangeNothing() throws {
    let (own, other) = (try scoring("needle-256-x4"), try scoring("needle-256"))
    let retention = Retention(try measure(length: 64))
    var results: [Retention.Result] = []
    let states = BaselineStates(limit: 1 << 20)
    for kept in [nil, states, states, BaselineStates(limit: 0)] {
      try retention.run(own, baseline: other, kept: kept) { results.append($0) }
    }
    #expect(results.count == 4 && results.allSatisfy { $0 == results[0] })
    let window = Perplexity.Window(start: 0, tokens: [1, 2, 3], scored: [1, 2])
    let schedule = own.policies[0].schedule(prompt: 3, count: 3)
    var count = 0
    for _ in 0..<3 {
      _ = states.of(window, schedule, nil) {
        count += 1
        return Matrix.zeros(rows: 2, columns: 4)
      }
    }
    #expect(count == 1)
  }

  @Test func aSampleIsInOrderAndRepeatable() {
    let all = Array(0..<50)
    let sample = GridSample(count: 7, seed: 3).chosen(from: all)
    #expect(sample.count == 7 && sample == sample.sorted() && Set(sample).count == 7)
    #expect(sample == GridSample(count: 7, seed: 3).chosen(from: all))
    #expect(sample != GridSample(count: 7, seed: 4).chosen(from: all))
    #expect(GridSample(count: 50, seed: 3).chosen(from: all) == all)
    // Every piece is chosen as often as any other.
    var counts = [Int: Int]()
    for seed in 0..<2000 {
      for item in GridSample(count: 5, seed: UInt64(seed)).chosen(from: all) {
        counts[item, default: 0] += 1
      }
    }
    #expect(counts.count == 50 && counts.values.allSatisfy { (140...260).contains($0) })
  }

  @Test func readsTypesOfKeysAndValues() {
    #expect(CacheTypes("q8_0") == CacheTypes(keys: .q80, values: .q80))
    #expect(CacheTypes("q8_0/q4_0") == CacheTypes(keys: .q80, values: .q40))
    #expect(
      CacheTypes("q8_0/q4_0")?.description == "q8_0/q4_0" && CacheTypes("f16")?.description == "f16"
    )
    for text in ["", "q9", "q8_0/", "f16/f16/f16"] { #expect(CacheTypes(text) == nil) }
    #expect(CacheTypes(keys: .bf16, values: .f32).isUnquantised)
    #expect(!CacheTypes(keys: .f16, values: .q51).isUnquantised)
  }

  /// A saved result says how to measure it again.
  @Test func aResultCanBeRepeatedFromItsPlan() throws {
    var options = VerifyOptions(model: Self.model)
    options.tasks = [.passkey, .ruler(.frequentWords), .perplexity]
    options.runtimes = [.runtime(.vllm), .paper]
    options.lengths = [128, 256]
    options.depths = 2
    options.samples = 1
    options.prompts = 1
    options.windows = 1
    options.seed = UInt64.max - 3
    options.cache = CacheTypes(keys: .f16, values: .q80)
    options.prefill = .chunks(32)
    options.texts = [Fixture.path("text/moby-dick-opening.txt")]
    options.gates = []
    let document = try VerifyJob(options).run().document
    let saved = try ResultDocument(json: document.json, subject: "saved")
    let repeated = try VerifyOptions(repeating: saved, of: Self.model, subject: "saved")
    let again = try VerifyJob(repeated).run().document
    #expect(again.json == document.json)
    var old = saved
    old.plan = .null
    #expect(throws: ModelError.self) {
      try VerifyOptions(repeating: old, of: Self.model, subject: "old")
    }
  }
}
