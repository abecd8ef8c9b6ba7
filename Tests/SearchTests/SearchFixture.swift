import Formats
import Foundation
import Models
import Patch
import TestSupport
import Verify

@testable import Inference
@testable import Search

/// What the tests of searches share.
enum SearchFixture {
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
    /// Central differences of the fitness.
    func derivatives(_ candidate: Candidate) -> [UnitDerivatives] {
      let step = 1e-5
      let slopes = candidate.factors.indices.map { pair in
        var (less, more) = (candidate, candidate)
        less.factors[pair] *= exp(-step)
        more.factors[pair] *= exp(step)
        return (fitness(more) - fitness(less)) / (2 * step)
      }
      return [UnitDerivatives(loss: fitness(candidate), logFactors: slopes, logMscale: 0)]
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

  /// The squares of the angles by which a pair turns otherwise than with the target, at the last
  /// position of the window.
  static func turn(from target: [Double]) -> @Sendable (Candidate) -> Double {
    let settings = space().settings
    let reaches = target.indices.map { pair in
      let frequency = pow(settings.theta, -2 * Double(pair) / Double(settings.rotaryDimensions))
      return max(1, frequency * Double(settings.window) / 2)
    }
    return { candidate in
      target.indices.reduce(0) { sum, pair in
        sum + pow((log(candidate.factors[pair]) - log(target[pair])) * reaches[pair], 2)
      } / Double(target.count)
    }
  }

  static let target = (0..<16).map { 1 + 3.6 / (1 + exp(-(Double($0) - 6.5))) }
}

extension Candidate {
  /// A hash that is the same in every run of the tests.
  fileprivate var hashValueOfFactors: Int { factors.reduce(17) { ($0 &* 31) &+ Int($1 * 1e6) } }
}
