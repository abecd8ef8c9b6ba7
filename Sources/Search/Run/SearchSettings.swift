/// Everything that determines a search, besides the model and its texts.
public struct SearchSettings: Codable, Equatable, Sendable {
  public var algorithm: AlgorithmName
  public var evolution = EvolutionSettings()
  /// Candidates in a generation of CMA-ES; if nil, it follows from the dimension.
  public var generationSize: Int?
  /// LongRoPE2's critical pair, if it is not searched.
  public var criticalPair: Int?
  public var race = RaceSettings()
  public var seed: UInt64 = 0
  /// Candidates that come before the algorithm's own first ones.
  public var initial: [Candidate] = []

  public init(_ algorithm: AlgorithmName) { self.algorithm = algorithm }
}
