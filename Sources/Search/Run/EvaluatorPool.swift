/// The workers that compute losses: threads of this process, or several processes.
public protocol EvaluatorPool: Sendable {
  /// The losses of candidates on a range of units.
  /// - Returns: (candidate, unit), the same for any number of workers.
  func losses(_ candidates: [Candidate], units: Range<Int>) throws -> [[Double]]
  /// Whether all workers must stop: true if one of them wants to.
  ///
  /// Every worker must call it at the same point.
  func agree(_ wantsToStop: Bool) throws -> Bool
  /// Whether this process writes files.
  var isFirst: Bool { get }
}
