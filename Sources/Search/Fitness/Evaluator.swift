public import Patch
public import Verify

/// Computes the losses of candidates on units.
public struct Evaluator: Sendable {
  public let space: SearchSpace
  public let units: FitnessUnits
  private let forward: ForwardPass
  private let geometry: RopeGeometry

  public init(_ space: SearchSpace, _ units: FitnessUnits, _ forward: ForwardPass, geometry: RopeGeometry) {
    self.space = space
    self.units = units
    self.forward = forward
    self.geometry = geometry
  }

  /// The candidates' weighted mean losses, in nats a token.
  /// - Returns: (candidate, unit)
  public func losses(_ candidates: [Candidate], units range: Range<Int>) throws -> [[Double]] {
    try losses(candidates.map(follower), units: range)
  }

  /// The same for anything that rotates.
  public func losses(_ followers: [Follower], units range: Range<Int>) throws -> [[Double]] {
    var result = followers.map { _ in Array(repeating: 0.0, count: range.count) }
    // The deepest needles first: the others share what they begin with, up to their own.
    let order = range.sorted { (-units.units[$0].depth, $0) < (-units.units[$1].depth, $1) }
    let sequences = order.map { units.units[$0].sequence }
    // Candidates one after another: units share what they begin with, candidates nothing.
    for (index, follower) in followers.enumerated() {
      try Scoring(forward, [follower]).run(sequences) { number, _, scores in
        let mean = -scores.reduce(0) { $0 + $1.logProbability } / Double(scores.count)
        result[index][order[number] - range.lowerBound] = mean * units.weights[order[number]]
      }
    }
    return result
  }

  public func follower(_ candidate: Candidate) -> Follower {
    Follower(
      trying: space.factors(of: candidate), startTokens: candidate.startTokens,
      mscale: candidate.mscale ?? space.mscale, pairMscales: candidate.pairMscales, geometry: geometry)
  }
}
