import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What fuzzing begins from, what it found, and some mutations of both: reading answers within a
/// second, without a crash, and keeps its promises.
@Suite("Fuzzed inputs", .serialized) struct FuzzCorpusTests {
  private static let isLong = ProcessInfo.processInfo.environment["LRPATCH_TEST_LONG"] != nil
  private static let mutations = isLong ? 20_000 : 25

  @Test(arguments: FuzzTarget.allCases) func readsFuzzedInputs(_ target: FuzzTarget) throws {
    let inputs = try FuzzCorpus.inputs(of: target)
    try #require(!inputs.isEmpty)
    for (number, input) in inputs.enumerated() { try read(input, target, "input \(number)") }
    var random = Seeded(4)
    var mutator = FuzzMutator()
    for number in 0..<Self.mutations {
      let input = inputs[Int(random.next() % UInt64(inputs.count))]
      let seed = random.next()
      let mutated = mutator.mutated(input, for: target, limit: 1 << 15, seed: seed)
      try read(mutated, target, "mutation \(number)")
    }
  }

  private func read(_ bytes: [UInt8], _ target: FuzzTarget, _ name: String) throws {
    let time = try ContinuousClock().measure { try target.read(bytes) }
    #expect(time < .seconds(1), "\(name) of \(target.rawValue)")
  }
}
