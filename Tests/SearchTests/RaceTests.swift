import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing
import Verify

@testable import Inference
@testable import Search

/// Which candidates a race stops, and how sure it is.
@Suite("Races") struct RaceTests {
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
    let units = try SearchFixture.units(count)
    var settings = RaceSettings()
    settings.alpha = 0.05
    settings.audit = 0
    let bar = Evaluated(
      candidate: Candidate([0]),
      losses: SearchFixture.Stub(fitness: { _ in 0 }, common: 1, noise: 0.2).losses(
        [Candidate([0])], units: 0..<count)[0],
      isComplete: true)
    func stopped(_ offset: Double) throws -> Double {
      let race = Race(
        settings: settings,
        pool: SearchFixture.Stub(fitness: { _ in offset }, common: 1, noise: 0.2),
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
      settings: settings, pool: SearchFixture.Stub(fitness: { $0.factors[0] }, noise: 0.01),
      units: try SearchFixture.units(24))
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
      func derivatives(_ candidate: Candidate) -> [UnitDerivatives] { [] }
      func agree(_ wantsToStop: Bool) -> Bool { wantsToStop }
      var isFirst: Bool { true }
    }
    var settings = RaceSettings()
    settings.audit = 1
    let race = Race(settings: settings, pool: Turning(), units: try SearchFixture.units(24))
    var (cost, random) = (SearchCost(), SearchRandom(seed: 1))
    let results = try race.run([1, 1.5, 2].map { Candidate([$0]) }, .best(2), &cost, &random)
    #expect(!results[2].isComplete && results[0].isComplete && results[1].isComplete)
    #expect(cost.audited == 1 && cost.wronglyStopped == 1)
  }
}

extension RaceSettings {
  fileprivate static var off: RaceSettings {
    var settings = RaceSettings()
    settings.isOn = false
    return settings
  }
}
