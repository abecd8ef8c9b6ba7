import Formats
import Models
import Numerics
import Patch
import TestSupport
import Testing

@testable import Inference

/// Windows extended without factors.
///
/// fixtures/make/make_golden_extensions.py writes the expected values: Self-Extend's by a forward
/// pass in PyTorch, dynamic NTK's by transformers.
@Suite("Extension without factors") struct ExtensionTests {
  private struct Case {
    var model: String
    var tokens: [Int]
    var values: [Double]
    var selfExtend: SelfExtend?
    var factor: Int?

    init(_ json: JSONValue) throws {
      model = try #require(json["model"]?.text)
      tokens = try #require(json["tokens"]?.doubles).map { Int($0) }
      values = try #require(json["values"]?.doubles)
      factor = json["factor"]?.integer
      if let group = json["group"]?.integer, let window = json["window"]?.integer {
        selfExtend = SelfExtend(group: group, window: window)
      }
    }
  }

  private static func golden() throws -> [Case] {
    let json = try JSONDocument(path: Fixture.path("golden/extensions.json")).value
    return try #require(json.elements).map(Case.init)
  }

  private static func policy(
    _ method: ExtensionMethod, _ model: String, factor: Int = 1
  ) throws -> RopePolicy {
    let path = Fixture.path(model)
    let inspection = try Inspection(ModelSession(path: path, exclusive: false))
    var geometry = inspection.geometry
    geometry.window = factor * geometry.originalWindow
    return try RopePolicy(method, of: inspection.withoutFactors, geometry)
  }

  private static func forward(
    _ model: String, _ precision: Precision = .exact
  ) throws -> ForwardPass {
    ForwardPass(try Transformer(path: Fixture.path(model)), threads: 2, precision: precision)
  }

  private static func worst(_ scores: [Double], _ expected: [Double]) -> Double {
    guard scores.count == expected.count else { return .infinity }
    return zip(scores, expected).map { abs($0 - $1) }.max() ?? .infinity
  }

  // MARK: References

  @Test func selfExtendEqualsItsReference() throws {
    let cases = try Self.golden().filter { $0.selfExtend != nil }
    #expect(cases.count == 10)
    for item in cases {
      let selfExtend = try #require(item.selfExtend)
      let policy = try Self.policy(.selfExtend(selfExtend), item.model)
      let scores = try Self.forward(item.model).logProbabilities(of: item.tokens, policy)
      let worst = Self.worst(scores, item.values)
      #expect(worst < 1e-4, "\(item.model), \(item.tokens.count), \(selfExtend): \(worst)")
    }
  }

  @Test func dynamicNTKEqualsTransformers() throws {
    let cases = try Self.golden().filter { $0.factor != nil }
    #expect(cases.count == 6)
    for item in cases {
      let policy = try Self.policy(.dynamicNTK, item.model, factor: item.factor ?? 1)
      let scores = try Self.forward(item.model).logProbabilities(of: item.tokens, policy)
      let worst = Self.worst(scores, item.values)
      #expect(worst < 1e-4, "\(item.model), \(item.tokens.count): \(worst)")
    }
  }

  @Test func roundedProductsAreClose() throws {
    let item = try #require(try Self.golden().last { $0.selfExtend != nil })
    let policy = try Self.policy(.selfExtend(#require(item.selfExtend)), item.model)
    let scores = try Self.forward(item.model, .fast).logProbabilities(of: item.tokens, policy)
    let mean = zip(scores, item.values).map { abs($0 - $1) }.reduce(0, +) / Double(scores.count)
    #expect(scores.count == item.values.count && mean < 0.1, "\(mean)")
  }

  // MARK: Invariants

  private static let models = ArchitectureTests.all.filter {
    ArchitectureTests.isRun($0) && $0.factors == nil
  }.map(\.model).uniqued

  /// Then near and far keys are rotated alike, in every kind of attention.
  @Test func groupsOfOneTokenChangeNothing() throws {
    let method = ExtensionMethod.selfExtend(try #require(SelfExtend(group: 1, window: 10)))
    #expect(Self.models.count > 30)
    for model in Self.models {
      let item = try #require(ArchitectureTests.all.last { $0.model == model })
      let inspection = try Inspection(
        ModelSession(path: Fixture.path(model), exclusive: false))
      let plain = inspection.withoutFactors
      guard plain.rule == .fixed, plain.uncomputed == nil else { continue }
      let forward = try Self.forward(model)
      let expected = try forward.logProbabilities(of: item.tokens, RopePolicy(plain))
      let scores = try forward.logProbabilities(
        of: item.tokens, RopePolicy(method, of: plain, inspection.geometry))
      let worst = Self.worst(scores, expected)
      #expect(worst < 1e-4, "\(model): \(worst)")
    }
  }

  @Test func generatesFromACacheAsInOnePrefill() throws {
    let item = try #require(try Self.golden().first { $0.tokens.count == 130 })
    let policy = try Self.policy(.selfExtend(#require(item.selfExtend)), item.model)
    let generator = Generator(try Self.forward(item.model), policy)
    // The keys of the first call are kept for the second.
    _ = try generator.evaluate(Array(item.tokens[..<100]), answer: [], count: 30)
    let answer = Array(item.tokens[101...])
    let scores = try generator.evaluate(Array(item.tokens[..<101]), answer: answer, count: 1)
    let worst = Self.worst(scores.dropLast().map(\.logProbability), Array(item.values[100...]))
    #expect(worst < 1e-4, "\(worst)")
  }

  @Test func sequencesOfOneBatchDoNotTouchEachOther() throws {
    let item = try #require(try Self.golden().first { $0.tokens.count == 256 })
    let inspection = try Inspection(
      ModelSession(path: Fixture.path(item.model), exclusive: false))
    let own = try RopePolicy(inspection.withoutFactors)
    let extended = try Self.policy(.selfExtend(#require(item.selfExtend)), item.model)
    let forward = try Self.forward(item.model)
    let plain = try forward.logProbabilities(of: item.tokens, own)
    let other = item.tokens.prefix(100) + item.tokens.prefix(30)
    let sequences = [Array(other), item.tokens].map {
      Scoring.Sequence(tokens: $0, prompt: $0.count, scored: Array(1..<$0.count))
    }
    try Scoring(forward, [own, extended]).run(sequences) { sequence, policy, scores in
      let expected = policy == 0 ? plain : item.values
      let count = sequence == 0 ? 99 : expected.count
      let found = scores.prefix(count).map(\.logProbability)
      #expect(Self.worst(found, Array(expected.prefix(count))) < 1e-4, "\(sequence), \(policy)")
    }
  }

  @Test func reachesTheLastDistanceOfTheWindow() throws {
    for (group, window) in [(1, 4), (2, 16), (4, 32), (8, 8), (16, 48), (5, 60)] {
      let selfExtend = try #require(SelfExtend(group: group, window: window))
      func greatest(_ tokens: Int) -> Int {
        (0..<tokens).map { distance in
          distance < window
            ? distance : selfExtend.queryPosition(distance) - selfExtend.keyPosition(0)
        }.max() ?? 0
      }
      let reach = selfExtend.reach(originalWindow: 64)
      #expect(greatest(reach) == 63 && greatest(reach + 1) == 64)
    }
    #expect(SelfExtend(group: 2, window: 80)?.reach(originalWindow: 64) == 64)
  }

  @Test func refusesWindowsThatGroupsDoNotDivide() {
    #expect(SelfExtend(group: 3, window: 16) == nil)
    #expect(SelfExtend(group: 0, window: 16) == nil)
    #expect(SelfExtend(group: 4, window: 0) == nil)
  }

  @Test func refusesAScalingThatGrows() throws {
    var plain = try Inspection(
      ModelSession(path: Fixture.path("architectures/llama"), exclusive: false))
    let selfExtend = try #require(SelfExtend(group: 2, window: 16))
    plain.readings[0].rule = .growing(DynamicNTK(plain.geometry))
    #expect(throws: ModelError.self) {
      try RopePolicy(.selfExtend(selfExtend), of: plain.withoutFactors, plain.geometry)
    }
    #expect(throws: Never.self) {
      try RopePolicy(.dynamicNTK, of: plain.withoutFactors, plain.geometry)
    }
  }
}
