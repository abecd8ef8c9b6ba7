import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch

/// Which RoPE table turns which position.
@Suite("RoPE policies") struct RopePolicyTests {
  private static func policy(
    _ rule: SwitchRule, _ runtime: Runtime = .sglang, prefill: Prefill = .whole
  ) throws -> RopePolicy {
    var reading = RuntimeReading(runtime)
    reading.short = UsedTable(name: "short", mscale: 1, inverseFrequencies: [1, 0.5])
    reading.long = UsedTable(name: "long", mscale: 1.5, inverseFrequencies: [0.5, 0.25])
    reading.rule = rule
    return try RopePolicy(reading, prefill: prefill)
  }

  @Test func rotatesAsEachRuntimeDoesAtTheCrossing() throws {
    // Ten tokens of prompt, then five generated; the window is 12.
    let scored = Array(10..<15)
    func mscales(_ schedule: RopeSchedule) -> [Float] {
      (0..<15).map { schedule.table(at: $0).mscale }
    }
    let fixed = try Self.policy(.fixed).passes(prompt: 10, scored: scored)
    #expect(fixed.count == 1 && mscales(fixed[0].schedule) == Array(repeating: 1.5, count: 15))
    let kept = try Self.policy(.kept(beyond: 12)).passes(prompt: 10, scored: scored)
    #expect(
      kept.count == 1
        && mscales(kept[0].schedule) == Array(repeating: 1, count: 12) + [1.5, 1.5, 1.5])
    let anew = try Self.policy(.recomputed(beyond: 12)).passes(prompt: 10, scored: scored)
    #expect(anew.map(\.scored) == [[10, 11, 12], [13, 14]])
    #expect(anew.map { $0.schedule.table(at: 0).mscale } == [1, 1.5])
    // A prompt beyond the window uses the long table from its first token on.
    let long = try Self.policy(.kept(beyond: 8)).passes(prompt: 10, scored: scored)
    #expect(mscales(long[0].schedule) == Array(repeating: 1.5, count: 15))
    #expect(fixed[0].schedule.commonPositions(with: kept[0].schedule) == 0)
    #expect(anew[0].schedule.commonPositions(with: kept[0].schedule) == 12)
    #expect(fixed[0].schedule.commonPositions(with: long[0].schedule) == .max)
  }

  @Test func chunksThatEndWithinTheWindowStayShort() throws {
    func shortTokens(_ rule: SwitchRule, _ prefill: Prefill, prompt: Int) throws -> Int {
      let policy = try Self.policy(rule, prefill: prefill)
      let schedule = policy.schedule(prompt: prompt, count: prompt)
      return (0..<prompt).count { schedule.table(at: $0).mscale == 1 }
    }
    for rule in [SwitchRule.kept(beyond: 12), .recomputed(beyond: 12)] {
      #expect(try shortTokens(rule, .whole, prompt: 30) == 0)
      #expect(try shortTokens(rule, .chunks(5), prompt: 30) == 10)
      #expect(try shortTokens(rule, .chunks(12), prompt: 13) == 12)
      #expect(try shortTokens(rule, .chunks(13), prompt: 30) == 0)
      #expect(try shortTokens(rule, .chunks(5), prompt: 12) == 12)
      // SGLang's own chunks are longer than the window.
      #expect(try shortTokens(rule, .own, prompt: 30) == 0)
    }
    #expect(try shortTokens(.fixed, .chunks(5), prompt: 30) == 0)
  }

  @Test func aRuntimeThatComputesOtherwiseIsNotFollowed() throws {
    var reading = RuntimeReading(.mistralRS)
    let table = UsedTable(name: "long", mscale: 1, inverseFrequencies: [1])
    (reading.short, reading.long) = (table, table)
    _ = try RopePolicy(reading)
    reading.uncomputed = "it routes tokens to other experts"
    #expect(throws: ModelError.self) { try RopePolicy(reading) }
  }

  /// A runtime that is built on another departs from the model as that one does.
  @Test(arguments: ["phimoe", "minicpm3"])
  func runtimesBuiltOnOthersShareTheirDeviations(_ name: String) throws {
    let model = try ModelFile(path: Fixture.path("architectures/\(name).gguf"))
    let deviations = model.deviations(hasOutput: true)
    let ofLlamaCpp = deviations[.llamaCpp] ?? []
    #expect(!ofLlamaCpp.isEmpty)
    for runtime in [Runtime.ollama, .ikLlamaCpp] {
      #expect(deviations[runtime]?.count == ofLlamaCpp.count)
    }
    let transformer = try Transformer(path: model.path)
    let variant = transformer.variant(of: Runtime.llamaCpp.rawValue)
    #expect(variant != nil)
    #expect(transformer.variant(of: Runtime.ollama.rawValue) == variant)
  }

  /// Otherwise each of them would cost a pass of its own.
  @Test(arguments: ["llama", "mistral"])
  func runtimesWithoutDeviationsRunTheModelItself(_ name: String) throws {
    let transformer = try Transformer(path: Fixture.path("architectures/\(name).gguf"))
    for runtime in Runtime.ofFiles { #expect(transformer.variant(of: runtime.rawValue) == nil) }
  }

  @Test func growsTheBaseWithEveryChunk() throws {
    let scaling = DynamicNTK(factor: 4, window: 12, theta: 100, rotaryDimensions: 4)
    let policy = try Self.policy(.growing(scaling), prefill: .chunks(5))
    let schedule = policy.schedule(prompt: 22, count: 22)
    func base(_ position: Int) -> [Float] {
      schedule.table(at: position).frequencies(layer: 0, position: position)
    }
    for (positions, length) in [(0..<10, 12), (10..<15, 15), (15..<20, 20), (20..<22, 22)] {
      let expected = RopeSchedule(scaling, prompt: length).table(at: 0)
      #expect(positions.allSatisfy { base($0) == expected.frequencies(layer: 0, position: $0) })
    }
  }

  @Test func growsTheBaseOfDynamicScaling() throws {
    let scaling = DynamicNTK(factor: 4, window: 12, theta: 100, rotaryDimensions: 4)
    let policy = try Self.policy(.growing(scaling))
    func slowest(_ schedule: RopeSchedule, _ position: Int) -> Float {
      schedule.table(at: position).frequencies(layer: 0, position: position)[1]
    }
    // Within the window nothing changes; theta' = theta (4 n / 12 - 3)^2, and 1 / sqrt(theta').
    let short = policy.schedule(prompt: 10, count: 15)
    #expect((0..<12).allSatisfy { slowest(short, $0) == 0.1 })
    // A token beyond the window has a base of its own.
    #expect(abs(slowest(short, 14) - 0.1 / 2) < 1e-7)
    #expect(slowest(short, 13) > slowest(short, 14))
    // A prompt beyond it has one base, by its length.
    let long = policy.schedule(prompt: 18, count: 20)
    #expect((0..<18).allSatisfy { abs(slowest(long, $0) - 0.1 / 3) < 1e-7 })
    #expect(slowest(long, 18) < slowest(long, 17))
    #expect(short.commonPositions(with: policy.schedule(prompt: 11, count: 11)) == .max)
    #expect(short.commonPositions(with: long) == 0)
  }

  @Test func followsWhatNoRuntimeCanExpress() throws {
    let geometry = RopeGeometry(
      architecture: "llama", yarnTurns: YarnTurns(fast: 32, slow: 1), rotaryDimensions: 4,
      theta: 100, window: 64, originalWindows: [16], scalingType: "default")
    let set = FactorSet(
      originalWindow: 16, window: 64, long: .perLayer([[2, 4], [8, 16]]),
      mscale: .literal(long: 2, short: 3),
      startTokens: 3, buckets: [.init(maximumLength: 32, factors: .uniform([1, 2]))])
    let policy = try RopePolicy(paper: set, geometry: geometry)
    let long = policy.schedule(prompt: 40, count: 40)
    #expect(long.isPerLayer && !policy.schedule(prompt: 20, count: 20).isPerLayer)
    // The first positions are not scaled; later ones are scaled by their layer's list.
    #expect(long.table(at: 0).frequencies(layer: 1, position: 2) == [1, 0.1])
    #expect(long.table(at: 0).scale(at: 2) == 1 && long.table(at: 0).scale(at: 3) == 2)
    #expect(long.table(at: 0).frequencies(layer: 0, position: 3) == [0.5, 0.025])
    #expect(long.table(at: 0).frequencies(layer: 1, position: 3) == [0.125, 0.00625])
    #expect(
      policy.schedule(prompt: 20, count: 20).table(at: 5).frequencies(layer: 0, position: 5) == [
        1, 0.05,
      ])
    #expect(policy.schedule(prompt: 16, count: 16).table(at: 5).mscale == 3)
  }
}
