/// The sizes of an evolution's generations.
///
/// The defaults are those of both papers (LongRoPE, section 4.1; LongRoPE2, appendix B).
public struct EvolutionSettings: Codable, Equatable, Sendable {
  /// Candidates of the first population.
  public var population = 64
  /// The number of best candidates that stay and have offspring.
  public var parents = 32
  /// Mutants in each generation.
  public var mutants = 16
  /// Crossovers in each generation.
  public var crossovers = 16
  /// Generations after the first population.
  public var iterations = 40
  /// The probability of a change in one pair.
  public var probability = 0.3
  /// Attempts to find a valid crossover of two parents.
  public var crossoverTries = 20

  /// The sizes of both papers.
  public init() {}

  /// The settings with all sizes halved, as in LongRoPE from 512k tokens on.
  public var halved: EvolutionSettings {
    var copy = self
    (copy.population, copy.parents) = (population / 2, parents / 2)
    (copy.mutants, copy.crossovers) = (mutants / 2, crossovers / 2)
    return copy
  }

  /// The window, in tokens, from which on LongRoPE halves all sizes.
  static let halvingWindow = 512 << 10

  func hasSizes(of other: EvolutionSettings) -> Bool {
    (population, parents, mutants, crossovers)
      == (other.population, other.parents, other.mutants, other.crossovers)
  }
}
