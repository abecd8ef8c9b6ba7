import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch

/// The forward pass: experts, shared prefixes, generation.
@Suite("Forward pass") struct ForwardPassTests {
  @Test func choosesExpertsAsPublished() {
    func experts(_ routing: Experts.Routing) throws -> Experts {
      let weight = try Transformer(path: Fixture.path("models/needle-256")).embedding
      return Experts(router: weight, experts: [], used: 2, routing: routing)
    }
    #expect(throws: Never.self) {
      // 2.0 and 1.97 are within two per cent of each other, 1.9 is not.
      let mixed = try experts(.sparseMixer(jitter: 0.01)).choose([1.9, 2, 1.97, -4])
      #expect(mixed.map(\.expert) == [1, 2])
      #expect(abs(mixed[0].weight - 1 / (1 + exp(-0.03))) < 1e-5 && mixed[1].weight == 1)
      let soft = try experts(.softmax).choose([1.9, 2, 1.97, -4])
      #expect(soft.map(\.expert) == [1, 2] && abs(soft[0].weight + soft[1].weight - 1) < 1e-6)
    }
  }

  @Test func sharedPrefixesChangeNothing() throws {
    let model = try Transformer(path: Fixture.path("models/needle-256-x4"))
    let inspection = try Inspection(
      ModelSession(path: Fixture.path("models/needle-256-x4"), exclusive: false),
      overlaying: FactorSource(path: Fixture.path("models/needle-256-x4.factors.json")).set)
    let policies = try inspection.readings.filter { ["paper", "hf", "mlx"].contains($0.name) }.map {
      try RopePolicy($0)
    }
    let scoring = Scoring(ForwardPass(model, threads: 2), policies)
    let tokens = (0..<700).map { ($0 * 37) % 1000 + 5 }
    let sequences = [700, 300, 650, 257].map { length in
      Scoring.Sequence(
        tokens: Array(tokens[..<(length - 20)]) + (0..<20).map { ($0 + length) % 900 },
        prompt: length - 10,
        scored: Array(length - 12..<length))
    }
    var together: [[TokenScore]] = []
    try scoring.run(sequences) { _, _, scores in together.append(scores) }
    var alone: [[TokenScore]] = []
    for sequence in sequences {
      try scoring.run([sequence]) { _, _, scores in alone.append(scores) }
    }
    #expect(together.count == 12 && together.count == alone.count)
    for (first, second) in zip(together.joined(), alone.joined()) {
      #expect(abs(first.logProbability - second.logProbability) < 1e-4)
    }
  }

  /// Step-by-step decoding gives the tokens that one prefill finds likeliest, also at the crossing.
  @Test(arguments: ["paper", "hf", "mlx"]) func generatesWhatScoringFindsLikeliest(_ name: String)
    throws
  {
    let path = Fixture.path("models/needle-256-x4")
    let inspection = try Inspection(
      ModelSession(path: path, exclusive: false),
      overlaying: FactorSource(path: Fixture.path("models/needle-256-x4.factors.json")).set)
    let policy = try RopePolicy(#require(inspection.readings.first { $0.name == name }))
    for precision in Precision.allCases {
      let forward = ForwardPass(try Transformer(path: path), threads: 2, precision: precision)
      let prompt = [0] + (0..<249).map { ($0 * 31) % 1000 + 5 }
      let generator = Generator(forward, policy)
      let found = try generator.generate(prompt, count: 12)
      var greedy: [Int] = []
      let sequence = Scoring.Sequence(
        tokens: prompt + found, prompt: prompt.count,
        scored: Array(prompt.count..<prompt.count + 12))
      try Scoring(forward, [policy]).run([sequence]) { _, _, scores in greedy = scores.map(\.greedy)
      }
      #expect(precision == .fast || found == greedy)
      // A prompt with the same beginning uses the cache, and gives the same tokens.
      #expect(try generator.generate(Array(prompt.dropLast(3)), count: 4).count == 4)
      #expect(try generator.generate(prompt, count: 12) == found)
    }
  }
}
