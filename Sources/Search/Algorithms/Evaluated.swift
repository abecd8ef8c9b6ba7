/// A candidate with its losses.
///
/// A lower loss is better.
public struct Evaluated: Codable, Equatable, Sendable {
  /// The candidate that was evaluated.
  public var candidate: Candidate
  /// The losses of the evaluated units, in the run's order of units.
  ///
  /// These are all units, unless the race stopped the candidate.
  public var losses: [Double]
  /// Whether every unit was evaluated.
  public var isComplete: Bool
  /// The derivatives of the fitness by the logarithm of each factor, and of the attention scale if
  /// it is searched; nil unless the algorithm wanted them.
  public var derivatives: [Double]?

  /// The mean of the known losses.
  public var fitness: Double { losses.reduce(0, +) / Double(max(1, losses.count)) }
}
