import Formats
import Foundation
import Patch
import TestSupport
import Testing

@testable import Inference
@testable import Search

/// Compares searches with runs of the published code, with a fitness that needs no model
/// (fixtures/make/make_golden_search.py).
@Suite("The published search") struct PublishedSearchTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var geometry: Int
    var kind: String
    var testDescription: String { "\(kind), geometry \(geometry)" }
  }

  static let cases = (0...1).flatMap { geometry in
    ["dim_mono", "dim_piece_mono"].map { Case(geometry: geometry, kind: $0) }
  }

  private struct Golden {
    let geometry: JSONValue
    let algorithm: JSONValue
    let space: SearchSpace
    let target: [Double]

    init(_ item: Case) throws {
      let golden = try JSONDocument(path: Fixture.path("golden/search.json")).value
      let geometry = try #require(golden["geometries"]?.elements?[item.geometry])
      func number(_ name: String) throws -> Double { try #require(geometry[name]?.double) }
      let window = Int(try number("original_window"))
      let settings = ClosedForm.Settings(
        theta: try number("theta"), rotaryDimensions: 2 * Int(try number("pairs")),
        originalWindow: window,
        window: window * Int(try number("scale")))
      self.geometry = geometry
      algorithm = try #require(geometry[item.kind])
      target = try #require(geometry["target"]?.doubles)
      space = SearchSpace(settings, mscale: 1)
    }

    /// A substitute for a perplexity.
    func fitness(_ factors: [Double]) -> Double {
      exp(
        zip(factors, target).reduce(0) { $0 + pow(log($1.0) - log($1.1), 2) } / Double(target.count)
      )
    }
  }

  private static func close(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 2e-7 * max(1, abs($1)) }
  }

  /// The best of every generation of a whole run with seed 42, and the final factors.
  @Test(arguments: cases) func runsAreTheSame(_ item: Case) throws {
    let golden = try Golden(item)
    let trace = try #require(golden.algorithm["trace"])
    let kind = try #require(PublishedSearch.Kind(rawValue: item.kind))
    var search = PublishedSearch(kind, golden.space, EvolutionSettings(), seed: 42)
    let mutants = try #require(trace["initial_mutants"]?.elements).compactMap(\.doubles)
    let first = search.ask()
    for (mutant, candidate) in zip(mutants, first.dropFirst()) {
      #expect(Self.close(candidate.factors, Array(mutant[kind.head...])), "\(item)")
    }
    var bests: [Double] = []
    var evaluations = 0
    while true {
      let asked = search.ask()
      if asked.isEmpty { break }
      evaluations += asked.count
      search.tell(
        asked.map {
          Evaluated(candidate: $0, losses: [golden.fitness($0.factors)], isComplete: true)
        })
      bests.append(try #require(search.best).fitness)
    }
    let expected = try #require(trace["best"]?.doubles)
    #expect(evaluations == 1344 && bests.count == expected.count)
    #expect(
      zip(bests, expected).allSatisfy { abs($0 - $1) < 1e-7 },
      "\(zip(bests, expected).first { abs($0 - $1) >= 1e-7 } ?? (0, 0))")
    let final = try #require(trace["final"]?.doubles)
    #expect(Self.close(try #require(search.best).candidate.factors, Array(final[kind.head...])))
  }

  /// The distributions of the operators under other seeds, compared with 20,000 draws of the
  /// published ones: how often each dimension changes, and its mean, within five standard errors.
  @Test(arguments: cases.prefix(2)) func operatorsAreDistributedAlike(_ item: Case) throws {
    let golden = try Golden(item)
    let kind = try #require(PublishedSearch.Kind(rawValue: item.kind))
    let draws = 500
    for record in try #require(golden.algorithm["mutation"]?.elements) {
      let parent = try #require(
        record["parent"]?.text.flatMap { golden.algorithm["genomes"]?[$0]?.doubles })
      let (changed, mean) = (
        try #require(record["changed"]?.doubles), try #require(record["mean"]?.doubles)
      )
      let deviation = try #require(record["std"]?.doubles)
      var counts = Array(repeating: 0.0, count: parent.count)
      var sums = counts
      for draw in 0..<draws {
        var search = PublishedSearch(
          kind, golden.space, EvolutionSettings(), seed: UInt64(1000 + draw))
        search.remember(parent)
        let child = search.mutant(of: parent)
        for gene in parent.indices {
          counts[gene] += abs(child[gene] - parent[gene]) > 1e-6 ? 1 : 0
          sums[gene] += child[gene]
        }
      }
      for gene in parent.indices {
        let (share, average) = (counts[gene] / Double(draws), sums[gene] / Double(draws))
        let error = (changed[gene] * (1 - changed[gene]) / Double(draws)).squareRoot()
        #expect(
          abs(share - changed[gene]) <= 5 * error + 2e-3,
          "\(item), gene \(gene): \(share), \(changed[gene])")
        #expect(
          abs(average - mean[gene]) <= 5 * deviation[gene] / Double(draws).squareRoot() + 1e-3,
          "\(item), gene \(gene): \(average), \(mean[gene])")
      }
    }
    for record in try #require(golden.algorithm["crossover"]?.elements) {
      let parents = try #require(record["parents"]?.elements).compactMap { name in
        name.text.flatMap { golden.algorithm["genomes"]?[$0]?.doubles }
      }
      let expected = try #require(record["from_second"]?.doubles)
      var counts = Array(repeating: 0.0, count: parents[0].count)
      var made = 0.0
      for draw in 0..<draws {
        var search = PublishedSearch(
          kind, golden.space, EvolutionSettings(), seed: UInt64(9000 + draw))
        for parent in parents { search.remember(parent) }
        guard let child = search.crossover(parents[0], parents[1]) else { continue }
        made += 1
        for gene in child.indices
        where child[gene] == parents[1][gene] && child[gene] != parents[0][gene] {
          counts[gene] += 1
        }
      }
      for gene in counts.indices {
        let share = counts[gene] / max(1, made)
        let error = (expected[gene] * (1 - expected[gene]) / max(1, made)).squareRoot()
        #expect(
          abs(share - expected[gene]) <= 5 * error + 3e-3,
          "\(item), crossover, gene \(gene): \(share), \(expected[gene])")
      }
    }
  }
}
