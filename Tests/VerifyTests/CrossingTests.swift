import Formats
import Numerics
import Patch
import TestSupport
import Testing

@testable import Inference
@testable import Verify

/// What happens to cached keys at the end of the original window.
@Suite("Crossing the window") struct CrossingTests {
  private static let length = 300

  private func policy(_ name: String) throws -> (ForwardPass, RopePolicy) {
    let path = Fixture.path("models/needle-256-x4")
    let inspection = try Inspection(
      ModelSession(path: path, exclusive: false),
      overlaying: FactorSource(path: Fixture.path("models/needle-256-x4.factors.json")).set)
    let reading = try #require(inspection.readings.first { $0.name == name })
    return (ForwardPass(try Transformer(path: path), threads: 2), try RopePolicy(reading))
  }

  private var tokens: [Int] { (0..<Self.length).map { ($0 * 37) % 1000 + 5 } }

  /// With the same table on both sides nothing is rotated, and the cache gives what a whole pass gives.
  @Test func rotatingWithTheSameTableChangesNothing() throws {
    let (forward, policy) = try policy("paper")
    let change = try #require(policy.recomputedSwitch)
    #expect(change.limit == 256)
    let scored = Array(260..<Self.length)
    for schedule in [change.first, change.second] {
      let again = try forward.scores(
        of: tokens, rotatingKeysAgainAt: 256, from: schedule, to: schedule, scored: scored)
      var batch = Batch()
      _ = batch.add(tokens, schedule, parent: nil, start: 0)
      let states = try forward.states(batch, wanted: scored.map { $0 - 1 })
      for (row, position) in scored.enumerated() {
        let logits = try forward.logits(states, rows: [row])
        let total = forward.engine.logSumExp(logits, row: 0).value
        let whole = Double(logits[0, tokens[position]]) - total
        #expect(abs(again[row].logProbability - whole) < 1e-3)
      }
    }
  }

  /// Keys rotated again are neither those of the cache nor those of another computation.
  @Test func rotatingAgainIsNotComputingAgain() throws {
    let (forward, paper) = try policy("paper")
    let change = try #require(paper.recomputedSwitch)
    let scored = Array(258..<Self.length)
    let again = try forward.scores(
      of: tokens, rotatingKeysAgainAt: 256, from: change.first, to: change.second, scored: scored)
    for name in ["paper", "hf"] {
      var others: [TokenScore] = []
      let sequence = Scoring.Sequence(tokens: tokens, prompt: 200, scored: scored)
      try Scoring(forward, [try policy(name).1]).run([sequence]) { others = $2 }
      let differences = zip(again, others).map { abs($0.logProbability - $1.logProbability) }
      #expect(differences.reduce(0, +) / Double(scored.count) > 0.01, "\(name)")
    }
    #expect(try policy("hf").1.recomputedSwitch == nil)
  }
}
