/// Everything that determines a search, besides the model and its texts.
public struct SearchSettings: Codable, Equatable, Sendable {
  /// The search algorithm.
  public var algorithm: AlgorithmName
  /// The sizes of an evolution's generations.
  public var evolution = EvolutionSettings()
  /// Candidates in a generation of CMA-ES; if nil, it follows from the dimension.
  public var generationSize: Int?
  /// LongRoPE2's critical pair, if it is not searched.
  public var criticalPair: Int?
  /// When candidates are stopped early.
  public var race = RaceSettings()
  /// The seed of the algorithm's random numbers.
  public var seed: UInt64 = 0
  /// Candidates that come before the algorithm's own first ones.
  public var initial: [Candidate] = []

  /// The default settings of an algorithm.
  public init(_ algorithm: AlgorithmName) { self.algorithm = algorithm }
}
