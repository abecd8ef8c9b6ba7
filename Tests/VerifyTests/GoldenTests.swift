import Formats
import Foundation
import Patch
import TestSupport
import Testing

@testable import Inference
@testable import Numerics
@testable import Verify

/// Compares `verify` with transformers, the tokenizers library and gguf-py.
///
/// fixtures/make/make_golden_verify.py writes the expected values.
@Suite("Verify against its peers") struct GoldenTests {
  private static func golden() throws -> JSONValue {
    try JSONDocument(path: Fixture.path("golden/verify.json")).value
  }

  private static func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// needle-256-x4, unpatched and patched by lrpatch; 200 and 700 tokens, within and beyond its
  /// window of 256.
  @Test(arguments: 0..<4, [1, 3]) func logProbabilitiesEqualTransformers(
    _ index: Int, _ threads: Int
  ) throws {
    let item = try #require(Self.golden()["log_probabilities"]?.elements?[index])
    let tokens = try #require(item["tokens"]?.doubles).map { Int($0) }
    let expected = try #require(item["values"]?.doubles)
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m")
    if item["patched"]?.flag == true {
      let source = try FactorSource(path: Fixture.path("models/needle-256-x4.factors.json"))
      let apply = Apply(source.set, factorsSHA256: "", version: "test", options: ApplyOptions())
      let session = try ModelSession(path: model, exclusive: true)
      try apply.perform(apply.plan(for: session), in: session)
    }
    let inspection = try Inspection(ModelSession(path: model, exclusive: false))
    let policy = try RopePolicy(#require(inspection.readings.first { $0.name == "hf" }))
    let forward = ForwardPass(try Transformer(path: model), threads: threads)
    let scores = try forward.scores(of: tokens, policy)
    let worst = zip(scores, expected).map { abs($0.logProbability - $1) }.max() ?? 1
    #expect(scores.count == expected.count && worst < 1e-4, "\(worst)")
  }

  @Test func folderAndFileAgree() throws {
    let tokens =
      [0]
      + (try Tokenizer(path: Fixture.path("models/needle-256")).encode(
        "Call me Ishmael. Some years ago"))
    let scores = try ["models/needle-256", "models/needle-256.gguf"].map { name in
      let inspection = try Inspection(ModelSession(path: Fixture.path(name), exclusive: false))
      let policy = try RopePolicy(#require(inspection.readings.first))
      let forward = ForwardPass(try Transformer(path: Fixture.path(name)), threads: 1)
      return try forward.scores(of: tokens, policy).map(\.logProbability)
    }
    #expect(zip(scores[0], scores[1]).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func tokenizesAsTheTokenizersLibrary() throws {
    let golden = try Self.golden()
    let text = try String(
      contentsOfFile: Fixture.path("text/moby-dick-opening.txt"), encoding: .utf8)
    for name in ["models/needle-256-x4", "models/needle-256-x4.gguf"] {
      let tokenizer = try Tokenizer(path: Fixture.path(name))
      #expect(tokenizer.encode(text) == golden["text_ids"]?.doubles?.map { Int($0) }, "\(name)")
      let torture = golden["torture"]?.text ?? ""
      #expect(
        tokenizer.encode(torture) == golden["torture_ids"]?.doubles?.map { Int($0) }, "\(name)")
      #expect(tokenizer.decode(tokenizer.encode(torture)) == torture)
    }
  }

  @Test func unpacksBlocksAsGGUFPyAndLlamaCpp() throws {
    let blocks = try #require(Self.golden()["blocks"]?.members)
    #expect(blocks.count == 27)
    for block in blocks {
      let type = try #require(ElementType.named(block.name))
      let source = Self.bytes(hex: block.value["bytes"]?.text ?? "")
      let expected = Self.bytes(hex: block.value["values"]?.text ?? "")
      var found = [Float](repeating: 0, count: expected.count / 4)
      source.withUnsafeBytes { bytes in
        found.withUnsafeMutableBufferPointer { buffer in
          guard let from = bytes.baseAddress, let to = buffer.baseAddress else { return }
          for kernels in KernelTable.all {
            type.unpack(from, to: to, count: buffer.count, kernels)
            let bits = buffer.flatMap { value in
              (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
            }
            #expect(bits == expected, "\(block.name), \(kernels.name)")
          }
        }
      }
    }
  }
}

extension ForwardPass {
  /// The scores of every token but the first.
  func scores(of tokens: [Int], _ policy: RopePolicy) throws -> [TokenScore] {
    var result: [TokenScore] = []
    let sequence = Scoring.Sequence(
      tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
    try Scoring(self, [policy]).run([sequence]) { _, _, scores in result = scores }
    return result
  }
}
