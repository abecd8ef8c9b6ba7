import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing
import Verify

@testable import Inference
@testable import Search

/// Searches on functions in place of a model.
@Suite("Search") struct SearchTests {
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
    var space = SearchFixture.space()
    space.upper = max(space.upper, algorithm.defaultMaximum * space.scale)
    return space
  }

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
        if [.longrope, .cmaES, .gradient, .dcis].contains(algorithm) {
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
        // A descent begins at a form that was evaluated without derivatives, and segments of
        // different sizes may lead to one list.
        if ![.dimMono, .dimPieceMono, .gradient, .dcis].contains(algorithm) {
          #expect(keys.insert(candidate.key).inserted, "a duplicate")
        }
      }
      let fitness = SearchFixture.distance(to: SearchFixture.target)
      let stub = SearchFixture.Stub(fitness: fitness)
      let wanted = search.wantsDerivatives
      search.tell(
        asked.map { candidate in
          let slopes = wanted ? stub.derivatives(candidate)[0] : nil
          return Evaluated(
            candidate: candidate, losses: [fitness(candidate)], isComplete: true,
            derivatives: slopes.map { $0.logFactors + [$0.logMscale] })
        })
    }
  }

  /// DCIS takes no step that is a loss, and ends when its segments are single pairs.
  @Test func dcisEndsWithSinglePairs() throws {
    let space = SearchFixture.space()
    let fitness = SearchFixture.distance(to: SearchFixture.target)
    var search = DivideAndConquer(space, given: [])
    var (evaluations, best) = (0, Double.infinity)
    var first: Double?
    while case let asked = search.ask(), !asked.isEmpty {
      evaluations += asked.count
      search.tell(
        asked.map { Evaluated(candidate: $0, losses: [fitness($0)], isComplete: true) })
      let now = try #require(search.best).fitness
      #expect(now <= best)
      (best, first) = (now, first ?? now)
      #expect(evaluations < 1000)
      if evaluations >= 1000 { break }
    }
    #expect(DivideAndConquer.evaluations(pairs: 16) == 301 && evaluations <= 301)
    #expect(best < 0.5 * (first ?? 0), "\(best) from \(first ?? 0) in \(evaluations)")
  }

  @Test func seedsAreThePapers() {
    let space = SearchFixture.space()
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
    let stub = SearchFixture.Stub(fitness: SearchFixture.distance(to: SearchFixture.target))
    let units = try SearchFixture.units(1)
    var ratios: [Double] = []
    for seed in 1...3 as ClosedRange<UInt64> {
      var settings = SearchSettings(.longrope)
      settings.seed = seed
      var evolution = SearchLoop(settings, SearchFixture.space(), units, stub)
      while try evolution.advance() != nil {}
      let goal = try #require(evolution.best).fitness
      settings.algorithm = .cmaES
      var cma = SearchLoop(settings, SearchFixture.space(), units, stub)
      while let generation = try cma.advance(), generation.fitness > goal, generation.number < 25 {}
      ratios.append(Double(cma.state.cost.evaluations) / Double(evolution.state.cost.evaluations))
    }
    #expect(ratios.sorted()[1] <= 0.2, "\(ratios)")
  }

  /// The gradient finds the minimum of a function whose fast pairs are a thousand times as steep.
  @Test func gradientFindsTheMinimum() throws {
    let stub = SearchFixture.Stub(fitness: SearchFixture.turn(from: SearchFixture.target))
    var space = SearchFixture.space()
    space.upper = 2 * space.scale
    var search = SearchLoop(SearchSettings(.gradient), space, try SearchFixture.units(1), stub)
    while let generation = try search.advance(), generation.fitness > 1e-4 {}
    let best = try #require(search.best)
    #expect(best.fitness <= 1e-4, "\(best.fitness)")
    #expect(search.cost.evaluations <= 30, "\(search.cost.evaluations)")
  }

  /// Where the best lists lie on the border of the space, between equal neighbours and at 1.
  @Test func gradientFollowsTheBorder() throws {
    let target = Array(repeating: 0.7, count: 7) + Array(repeating: 3.5, count: 9).map { $0 }
    let falling = target.enumerated().map { $1 * ($0 > 10 ? 0.9 : 1) }
    let stub = SearchFixture.Stub(fitness: SearchFixture.turn(from: falling))
    var search = SearchLoop(
      SearchSettings(.gradient), SearchFixture.space(), try SearchFixture.units(1), stub)
    while try search.advance() != nil {}
    let best = try #require(search.best).candidate
    #expect(best.isMonotone && best.factors.prefix(7).allSatisfy { $0 == 1 }, "\(best.factors)")
    // Where the target falls, the nearest list is level.
    let level = best.factors.suffix(6)
    #expect(level.allSatisfy { abs($0 - level[10]) < 1e-6 && $0 > 3.2 && $0 < 3.5 }, "\(level)")
  }

  /// Steps of 1 and s are tried at every second pair, then beside the best one.
  @Test func gradientTriesStepsFirst() throws {
    let target = (0..<16).map { $0 < 5 ? 1.0 : 4.0 }
    let stub = SearchFixture.Stub(fitness: SearchFixture.distance(to: target))
    var search = SearchLoop(
      SearchSettings(.gradient), SearchFixture.space(), try SearchFixture.units(1), stub)
    while let generation = try search.advance(), generation.fitness > 0 {}
    #expect(try #require(search.best).candidate.factors == target)
    #expect(search.cost.evaluations < 14 && search.cost.tokens < 14 * 300)
  }

  /// Of a parabola, a line and a ridge.
  @Test func roomEndsWhereTheLossHasRisen() throws {
    let rise = log(1 + Sensitivity.tolerance)
    let bowl = Sensitivity.room(0.01, 0.5, turns: 0.1)
    for (share, sign) in [(try #require(bowl.down), -1.0), (try #require(bowl.up), 1.0)] {
      let d = log(1 + sign * share)
      #expect(abs(0.01 * d + 0.25 * d * d - rise) < 1e-12)
    }
    let line = Sensitivity.room(0.01, 0, turns: 0.01)
    let up = try #require(line.up)
    #expect(line.down == nil && abs(log(1 + up) - rise / 0.01) < 1e-12)
    // The last position turns by a radian.
    let ridge = Sensitivity.room(1e-6, -1, turns: 100)
    let top = try #require(ridge.up)
    #expect(abs(log(1 + top) - 1 / (200 * Double.pi)) < 1e-12 && ridge.down != nil)
  }

  /// A list that falls, as --initial may give it, is moved into the space first.
  @Test func gradientBeginsInTheSpace() throws {
    let falling = Candidate((0..<16).map { 4 - 0.3 * Double($0) })
    let space = SearchFixture.space()
    let descent = Descent(space, from: falling)
    #expect(space.contains(descent.candidate), "\(descent.candidate.factors)")
  }
}
