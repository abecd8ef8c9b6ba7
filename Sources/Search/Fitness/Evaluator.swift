public import Inference
public import Models

/// Computes the losses of candidates on units.
public struct Evaluator: Sendable {
  /// The space that the candidates are from.
  public let space: SearchSpace
  /// The documents and prompts for which losses are measured.
  public let units: FitnessUnits
  private let forward: ForwardPass
  private let geometry: RopeGeometry

  /// Creates an evaluator for the candidates of a space.
  public init(
    _ space: SearchSpace, _ units: FitnessUnits, _ forward: ForwardPass, geometry: RopeGeometry
  ) {
    self.space = space
    self.units = units
    self.forward = forward
    self.geometry = geometry
  }

  /// The weighted mean losses of candidates, in nats per token.
  /// - Returns: (candidate, unit)
  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    try losses(candidates.map(policy), units: range)
  }

  /// The weighted mean losses of RoPE policies, in nats per token.
  /// - Returns: (policy, unit)
  public func losses(_ policies: [RopePolicy], units range: Range<Int>) throws -> [[Double]] {
    var result = policies.map { _ in Array(repeating: 0.0, count: range.count) }
    // The deepest needles first, because the others share their beginning up to their own needle.
    let order = range.sorted { (-units.units[$0].depth, $0) < (-units.units[$1].depth, $1) }
    let sequences = order.map { units.units[$0].sequence }
    // One candidate after another: units of one candidate share beginnings, candidates share
    // nothing.
    for (index, policy) in policies.enumerated() {
      try Scoring(forward, [policy]).run(sequences) { number, _, scores in
        let loss = sequences[number].loss(scores)
        result[index][order[number] - range.lowerBound] = loss * units.weights[order[number]]
      }
    }
    return result
  }

  /// The mean loss on one unit under a policy, and its derivatives by layer.
  func gradient(_ policy: RopePolicy, unit: Int) throws -> RopeGradient {
    try forward.gradient(units.units[unit].sequence, policy)
  }

  /// The weighted mean loss of a candidate on one unit, and its derivatives.
  func derivatives(_ candidate: Candidate, unit: Int) throws -> UnitDerivatives {
    let gradient = try gradient(policy(candidate), unit: unit)
    let weight = units.weights[unit]
    return UnitDerivatives(
      loss: gradient.loss * weight, logFactors: gradient.logFactors.map { $0 * weight },
      logMscale: gradient.logMscale * weight)
  }

  /// The number of threads of one forward pass.
  var threads: Int { forward.threads }

  /// The same evaluator with another number of threads.
  func withThreads(_ threads: Int) -> Evaluator {
    Evaluator(space, units, forward.withThreads(threads), geometry: geometry)
  }

  /// How the model is rotated with a candidate's factors.
  public func policy(_ candidate: Candidate) -> RopePolicy {
    RopePolicy(
      trying: space.factors(of: candidate), startTokens: candidate.startTokens,
      mscale: candidate.mscale ?? space.mscale, pairMscales: candidate.pairMscales,
      geometry: geometry)
  }
}
