import Formats
import Models
import Patch
import TestSupport
import Testing

@testable import Inference

/// Prompts in chunks, as transformers computes them.
///
/// fixtures/make/make_golden_chunks.py writes the expected values.
@Suite("Prompts in chunks") struct ChunkTests {
  private static func golden() throws -> [JSONValue] {
    try JSONDocument(path: Fixture.path("golden/chunks.json")).value.elements ?? []
  }

  @Test(arguments: ["architectures/llama", "architectures/phi3"])
  func equalTransformers(_ model: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.copy(model)
    try ArchitectureTests.apply(Fixture.path("\(model).factors.json"), to: path)
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    let reading = try #require(inspection.readings.first { $0.name == "hf" })
    let forward = ForwardPass(try Transformer(path: path), threads: 2)
    let cases = try Self.golden().filter { $0["model"]?.text == model }
    #expect(cases.count == 20)
    var mixed = 0
    for item in cases {
      let tokens = try #require(item["tokens"]?.doubles).map { Int($0) }
      let expected = try #require(item["values"]?.doubles)
      let chunk = try #require(item["chunk"]?.double).rounded()
      let scores = try forward.logProbabilities(
        of: tokens, RopePolicy(reading, prefill: .chunks(Int(chunk))))
      let worst = zip(scores, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(scores.count == expected.count && worst < 1e-4, "\(tokens.count), \(chunk): \(worst)")
      let whole = try forward.logProbabilities(of: tokens, RopePolicy(reading, prefill: .whole))
      if zip(scores, whole).contains(where: { abs($0 - $1) > 1e-3 }) { mixed += 1 }
    }
    // Prompts of 65, 80 and 256 tokens in chunks of 16, 24 and 64 have short keys at their beginning.
    #expect(mixed == 9)
  }
}
