import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing
import Verify

@testable import Inference
@testable import Search

/// Searches on the trained fixture model, and on functions in place of a model.
@Suite("Search") struct SearchTests {
  static let model = Fixture.path("models/needle-256")

  static func space(pairs: Int = 16, window: Int = 1024) -> SearchSpace {
    SearchSpace(
      ClosedForm.Settings(
        theta: 10_000, rotaryDimensions: 2 * pairs, originalWindow: 256, window: window),
      mscale: 1.118)
  }

  /// Computes losses by a function of the candidate, without a model, for any number of units.
  struct Stub: EvaluatorPool {
    var fitness: @Sendable (Candidate) -> Double
    /// The size of the part of a unit's loss that all candidates share, and of the part that
    /// differs.
    var common = 0.0
    var noise = 0.0

    func losses(_ candidates: [Candidate], units: Range<Int>) -> [[Double]] {
      candidates.map { candidate in
        units.map { unit in
          var own = SearchRandom(
            seed: UInt64(unit) &* 7919 &+ UInt64(bitPattern: Int64(candidate.hashValueOfFactors)))
          var shared = SearchRandom(seed: UInt64(unit))
          return fitness(candidate) + common * shared.normal() + noise * own.normal()
        }
      }
    }
    func agree(_ wantsToStop: Bool) -> Bool { wantsToStop }
    var isFirst: Bool { true }
  }

  /// Units that are counted but not evaluated.
  static func units(_ count: Int) throws -> FitnessUnits {
    var settings = FitnessSettings(length: 300)
    settings.needles = count
    settings.needlePrompt = .passkey
    return try FitnessUnits(settings, texts: [], tokenizer: Tokenizer(path: model))
  }

  static func distance(to target: [Double]) -> @Sendable (Candidate) -> Double {
    { candidate in
      zip(candidate.factors, target).reduce(0) { $0 + pow(log($1.0) - log($1.1), 2) }
        / Double(target.count)
    }
  }

  static let target = (0..<16).map { 1 + 3.6 / (1 + exp(-(Double($0) - 6.5))) }

  private func small(_ algorithm: AlgorithmName) -> SearchSettings {
    var settings = SearchSettings(algorithm)
    settings.evolution.population = 16
    settings.evolution.parents = 8
    settings.evolution.mutants = 6
    settings.evolution.crossovers = 6
    settings.evolution.iterations = 5
    settings.seed = 3
    return settings
  }

  private func space(for algorithm: AlgorithmName) -> SearchSpace {
    var space = Self.space()
    if algorithm == .longrope2 { space.upper = 2 * space.scale }
    return space
  }

  // MARK: Algorithms

  @Test(arguments: AlgorithmName.allCases) func candidatesStayInTheirSpace(
    _ algorithm: AlgorithmName
  ) throws {
    var space = space(for: algorithm)
    space.searchesMscale = ![.dimMono, .dimPieceMono].contains(algorithm)
    var search = AnyAlgorithm(small(algorithm), space)
    var keys: Set<CandidateKey> = []
    for _ in 0..<8 {
      let asked = search.ask()
      #expect(search.ask() == asked, "asking twice asks the same")
      if asked.isEmpty { break }
      for candidate in asked {
        #expect(
          candidate.factors.count == 16 && candidate.isMonotone,
          "\(algorithm): \(candidate.factors)")
        if algorithm == .longrope || algorithm == .cmaES {
          #expect(space.contains(candidate), "\(candidate.factors)")
        }
        if algorithm == .longrope2 {
          let pair = try #require(candidate.criticalPair)
          #expect((3...7).contains(pair))
          #expect(candidate.factors[pair...].allSatisfy { (4.0...8.0).contains($0) })
          for below in 0..<pair {
            let expected = pow(candidate.factors[pair], Double(below) / Double(pair))
            #expect(abs(candidate.factors[below] - expected) < 1e-9)
          }
        }
        if let mscale = candidate.mscale { #expect(space.mscaleLimits.contains(mscale)) }
        if ![.dimMono, .dimPieceMono].contains(algorithm) {
          #expect(keys.insert(candidate.key).inserted, "a duplicate")
        }
      }
      let fitness = Self.distance(to: Self.target)
      search.tell(asked.map { Evaluated(candidate: $0, losses: [fitness($0)], isComplete: true) })
    }
  }

  @Test func seedsAreThePapers() {
    let space = Self.space()
    let first = LongRoPEGenetics(space: space, probability: 0.3, given: [])
    var random = SearchRandom(seed: 1)
    let population = first.initial(64, &random) { _ in true }
    #expect(population.count == 64)
    for (candidate, form) in zip(population, [ClosedForm.pi, .ntk, .yarn]) {
      for (found, wanted) in zip(candidate.factors, form.factors(space.settings)) {
        #expect(abs(found - wanted) < 0.006)
      }
    }
  }

  /// CMA-ES reaches the final fitness of the evolution with at most a fifth of its evaluations, in
  /// the median of three seeds.
  @Test func cmaESNeedsFewEvaluations() throws {
    let stub = Stub(fitness: Self.distance(to: Self.target))
    let units = try Self.units(1)
    var ratios: [Double] = []
    for seed in 1...3 as ClosedRange<UInt64> {
      var settings = SearchSettings(.longrope)
      settings.seed = seed
      var evolution = SearchLoop(settings, Self.space(), units, stub)
      while try evolution.advance() != nil {}
      let goal = try #require(evolution.best).fitness
      settings.algorithm = .cmaES
      var cma = SearchLoop(settings, Self.space(), units, stub)
      while let generation = try cma.advance(), generation.fitness > goal, generation.number < 25 {}
      ratios.append(Double(cma.state.cost.evaluations) / Double(evolution.state.cost.evaluations))
    }
    #expect(ratios.sorted()[1] <= 0.2, "\(ratios)")
  }

  // MARK: Racing

  @Test func studentsDistributionIsRight() {
    // Two-sided 95 % quantiles from tables.
    for (degrees, quantile) in [
      (1.0, 12.7062), (2, 4.30265), (4, 2.77645), (10, 2.22814), (60, 2.00030), (1e6, 1.95997),
    ] {
      #expect(abs(StudentT.quantile(confidence: 0.95, degrees: degrees) - quantile) < 1e-4)
      #expect(abs(StudentT.upperTail(quantile, degrees: degrees) - 0.025) < 1e-6)
    }
    #expect(abs(StudentT.upperTail(0, degrees: 3) - 0.5) < 1e-12)
    #expect(abs(StudentT.upperTail(-2, degrees: 5) + StudentT.upperTail(2, degrees: 5) - 1) < 1e-12)
  }

  @Test func looksGrow() {
    #expect(Race.looks(5) == [3, 4])
    #expect(Race.looks(64) == [12, 16, 24, 32, 48])
    #expect(Race.looks(3).isEmpty && Race.looks(1).isEmpty)
  }

  /// Candidates as good as the bar are stopped with at most probability alpha over all looks;
  /// clearly worse ones are nearly always stopped.
  @Test(arguments: [12, 48]) func theRaceKeepsItsLevel(_ count: Int) throws {
    let units = try Self.units(count)
    var settings = RaceSettings()
    settings.alpha = 0.05
    settings.audit = 0
    let bar = Evaluated(
      candidate: Candidate([0]),
      losses: Stub(fitness: { _ in 0 }, common: 1, noise: 0.2).losses(
        [Candidate([0])], units: 0..<count)[0],
      isComplete: true)
    func stopped(_ offset: Double) throws -> Double {
      let race = Race(
        settings: settings, pool: Stub(fitness: { _ in offset }, common: 1, noise: 0.2),
        units: units)
      var (cost, random) = (SearchCost(), SearchRandom(seed: 1))
      let candidates = (1...600).map { Candidate([Double($0)]) }
      let results = try race.run(candidates, .candidate(bar), &cost, &random)
      // Only candidates that really reach the bar count, so evaluate all to select them.
      let whole = try Race(settings: RaceSettings.off, pool: race.pool, units: units).run(
        candidates, .candidate(bar), &cost, &random)
      let (wanted, wrong) = zip(results, whole).reduce((0.0, 0.0)) { sum, pair in
        let reaches = offset > 0.5 || pair.1.fitness <= bar.fitness
        return (sum.0 + (reaches ? 1 : 0), sum.1 + (reaches && !pair.0.isComplete ? 1 : 0))
      }
      return wrong / max(1, wanted)
    }
    #expect(try stopped(0) <= 0.05)
    #expect(try stopped(1) > 0.95)
  }

  @Test func theRaceAuditsItself() throws {
    var settings = RaceSettings()
    settings.audit = 1
    let race = Race(
      settings: settings, pool: Stub(fitness: { $0.factors[0] }, noise: 0.01),
      units: try Self.units(24))
    var (cost, random) = (SearchCost(), SearchRandom(seed: 1))
    let results = try race.run((0..<30).map { Candidate([Double($0)]) }, .best(5), &cost, &random)
    #expect(results.prefix(5).allSatisfy(\.isComplete) && results.last?.isComplete == false)
    #expect(cost.stopped == results.count { !$0.isComplete } && cost.audited == cost.stopped)
    #expect(cost.wronglyStopped == 0 && cost.auditTokens > 0 && cost.tokens < 30 * 24 * 300)
  }

  /// Even if only the wanted number is left: a candidate that loses at first and wins in the end
  /// was stopped wrongly.
  @Test func auditsCountWhoeverWasStoppedWrongly() throws {
    struct Turning: EvaluatorPool {
      func losses(_ candidates: [Candidate], units: Range<Int>) -> [[Double]] {
        candidates.map { candidate in
          units.map { unit in
            let jitter = Double(unit % 3) * 1e-3 * candidate.factors[0]
            return candidate.factors[0] == 2
              ? (unit < 12 ? 5 : -50) + jitter : candidate.factors[0] + jitter
          }
        }
      }
      func agree(_ wantsToStop: Bool) -> Bool { wantsToStop }
      var isFirst: Bool { true }
    }
    var settings = RaceSettings()
    settings.audit = 1
    let race = Race(settings: settings, pool: Turning(), units: try Self.units(24))
    var (cost, random) = (SearchCost(), SearchRandom(seed: 1))
    let results = try race.run([1, 1.5, 2].map { Candidate([$0]) }, .best(2), &cost, &random)
    #expect(!results[2].isComplete && results[0].isComplete && results[1].isComplete)
    #expect(cost.audited == 1 && cost.wronglyStopped == 1)
  }

  // MARK: Documents and needles

  @Test func textsThatAreTooShortAreRefused() throws {
    var settings = FitnessSettings(length: 300)
    settings.documents = 5
    let tokenizer = try Tokenizer(path: Self.model)
    #expect(throws: ModelError.self) {
      try FitnessUnits(settings, texts: [Array(repeating: 5, count: 1200)], tokenizer: tokenizer)
    }
    settings.documents = 0
    settings.needles = 2
    settings.length = 20
    #expect(throws: ModelError.self) {
      try FitnessUnits(settings, texts: [[5]], tokenizer: tokenizer)
    }
  }

  @Test func needlePromptsAreTheirOwners() throws {
    let tokenizer = try Tokenizer(path: Self.model)
    for (prompt, words) in [
      (
        NeedlePrompt.paper,
        ["numerous-kite is: ", "What is the special magic number for numerous-kite"]
      ),
      (.released, ["wandering-age is: ", "mentioned in the provided text is:"]),
      (.passkey, ["The pass key is "]),
    ] {
      var settings = FitnessSettings(length: 700)
      settings.needles = 3
      settings.needlePrompt = prompt
      let units = try FitnessUnits(settings, texts: [Array(10..<900)], tokenizer: tokenizer).units
      #expect(units.count == 3 && Set(units.map(\.depth)) == [0, 0.5, 1])
      for unit in units {
        let text = tokenizer.decode(unit.sequence.tokens)
        for word in words { #expect(text.contains(word), "\(prompt)") }
        #expect(unit.sequence.tokens.count == 700 && unit.sequence.scored.last == 699)
        let answer = tokenizer.decode(unit.sequence.scored.map { unit.sequence.tokens[$0] })
        #expect(
          answer.filter(\.isNumber).count >= 5
            && text.contains(answer.trimmingCharacters(in: .whitespaces)))
      }
    }
  }

  @Test func partsOfATextDoNotOverlap() throws {
    let tokenizer = try Tokenizer(path: Self.model)
    func tokens(_ part: Int) throws -> Set<Int> {
      var settings = FitnessSettings(length: 100)
      settings.documents = 3
      (settings.part, settings.parts) = (part, 2)
      let text = Array(0..<1000)
      return Set(
        try FitnessUnits(settings, texts: [text], tokenizer: tokenizer).units.flatMap {
          $0.sequence.tokens.dropFirst()
        }
      )
    }
    #expect(try tokens(1).isDisjoint(with: tokens(2)))
  }

  @Test func comparisonsCallTiesTies() {
    let even = Comparison.Estimate([1, 1.1, 0.9, 1.05, 0.95])
    #expect(
      abs(even.mean - 1) < 1e-12
        && abs(even.halfWidth - 2.77645 * 0.0790569 / 5.0.squareRoot()) < 1e-4)
  }

  // MARK: Mixed windows

  @Test func rowsAreFullAndKeepTheirKind() throws {
    var settings = Mixture.Settings(originalWindow: 64, window: 256)
    settings.shortShare = 0.4
    // Without them, a model would not see its beginning token in training.
    (settings.beginning, settings.end) = (7777, 8888)
    let documents =
      [(0..<5000).map { $0 % 900 }] + (0..<40).map { Array(repeating: $0, count: 20 + $0) }
    let mixture = try Mixture(documents, settings)
    #expect(mixture.rows.contains(where: \.isLong) && mixture.rows.contains { !$0.isLong })
    for row in mixture.rows {
      #expect(row.tokens.count == 256 && row.positions.count == 256 && row.positions[0] == 0)
      for (position, next) in zip(row.positions, row.positions.dropFirst()) {
        #expect(next == position + 1 || next == 0)
      }
      for (token, position) in zip(row.tokens, row.positions) {
        #expect((token == 7777) == (position == 0))
      }
      for (token, next) in zip(row.tokens, row.positions.dropFirst()) {
        #expect((token == 8888) == (next == 0))
      }
      let greatest = try #require(row.positions.max())
      #expect(row.isLong ? greatest >= 64 : greatest < 64)
    }
    #expect(try Mixture(documents, settings).rows == mixture.rows)
    settings.seed = 1
    #expect(try Mixture(documents, settings).rows != mixture.rows)
    settings.window = 100_000
    #expect(throws: ModelError.self) { try Mixture(documents, settings) }
  }
}

extension RaceSettings {
  fileprivate static var off: RaceSettings {
    var settings = RaceSettings()
    settings.isOn = false
    return settings
  }
}

extension Candidate {
  /// A hash that is the same in every run of the tests.
  fileprivate var hashValueOfFactors: Int { factors.reduce(17) { ($0 &* 31) &+ Int($1 * 1e6) } }
}
