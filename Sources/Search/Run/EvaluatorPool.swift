/// The workers that compute losses: threads of this process, or several processes.
public protocol EvaluatorPool: Sendable {
  /// The losses of candidates on a range of units.
  /// - Returns: (candidate, unit), the same for any number of workers.
  func losses(_ candidates: [Candidate], units: Range<Int>) throws -> [[Double]]
  /// The loss of a candidate on every unit, and its derivatives by the logarithm of each factor and
  /// of the attention scale: (unit, pairs + 1).
  func derivatives(_ candidate: Candidate) throws -> [UnitDerivatives]
  /// Whether all workers must stop: true if one of them wants to.
  ///
  /// Every worker must call it at the same point.
  func agree(_ wantsToStop: Bool) throws -> Bool
  /// Whether this process writes files.
  var isFirst: Bool { get }
}

/// The loss of one candidate on one unit, and its derivatives.
public struct UnitDerivatives: Codable, Hashable, Sendable {
  /// The weighted mean loss, in nats per token.
  public var loss: Double
  /// By the logarithm of each factor; empty if only the loss was computed.
  public var logFactors: [Double] = []
  /// By the logarithm of the attention scale.
  public var logMscale = 0.0
}
