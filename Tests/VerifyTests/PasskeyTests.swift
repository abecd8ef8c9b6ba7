import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch
@testable import Verify

/// Passkey prompts and their scores.
@Suite("Passkeys") struct PasskeyTests {
  @Test func promptsHaveExactlyTheirLength() throws {
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256"))
    let passkey = Passkey(tokenizer)
    for length in [128, 255, 256, 257, 1000] {
      for depth in [0, 0.5, 1.0] {
        let prompt = try passkey.prompt(.init(length: length, depth: depth, sample: 0), key: 12_345)
        #expect(prompt.tokens.count == length)
        #expect(tokenizer.decode(Array(prompt.tokens[prompt.promptLength...])) == " 12345")
        #expect(tokenizer.decode(prompt.tokens).contains("The pass key is 12345. Remember it."))
      }
    }
    #expect(throws: ModelError.self) {
      try passkey.prompt(.init(length: 40, depth: 0, sample: 0), key: 1)
    }
  }

  /// Decoded cells get the same scores as from a prefill.
  @Test func decodedCellsAreScoredAlike() throws {
    let path = Fixture.path("models/needle-256-x4")
    let readings = try Inspection(ModelSession(path: path, exclusive: false)).readings
    let policies = try readings.prefix(2).map { try RopePolicy($0) }
    let passkey = Passkey(try Tokenizer(path: path))
    let cells = [1, 0.6, 0].map { Passkey.Cell(length: 400, depth: $0, sample: 0) }
    func results(cacheLimit: Int) throws -> [Passkey.Result] {
      var forward = ForwardPass(try Transformer(path: path), threads: 2)
      forward.cacheLimit = cacheLimit
      var results: [Passkey.Result] = []
      try passkey.run(cells, Scoring(forward, policies), seed: 3) { results.append($0) }
      return results.sorted { ($0.cell.depth, $0.runtime) < ($1.cell.depth, $1.runtime) }
    }
    let decoded = try results(cacheLimit: .max)
    // Without room for a cache nothing is decoded, and the `published` score may be unknown.
    let scored = try results(cacheLimit: 0)
    #expect(decoded.count == 6 && scored.count == 6)
    for (one, other) in zip(decoded, scored) {
      #expect(
        one.cell == other.cell && one.isExact == other.isExact
          && abs(one.margin - other.margin) < 1e-3)
      #expect(one.isPublished != nil)
      #expect(other.isPublished == one.isPublished || !other.isExact && other.isPublished == nil)
    }
  }

  /// Often the first wrong token already shows that the number is another.
  @Test(
    arguments: [
      ("", nil), (" the key", nil), (" 123", nil), (" 0", nil), (" 00123", nil),
      (" 9", false), (" 1239", false), (" 123.", false), (" the 123 and", false), (" 00124", false),
      (" 123456", false), (" 12345 ", true), (" 012345.", true),
    ] as [(String, Bool?)])
  func theBeginningMayDecide(_ text: String, _ isKey: Bool?) {
    #expect(Passkey.Run.isKey(12_345, begun: Array(text.utf8)) == isKey)
  }
}
