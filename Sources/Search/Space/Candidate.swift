import Glibc

/// One set of factors that a search evaluates.
public struct Candidate: Codable, Hashable, Sendable {
  /// One factor for each pair, which multiplies the factor that the model already has.
  public var factors: [Double]
  /// n-hat: the number of first tokens that keep their original angles.
  public var startTokens = 0
  /// The pair from which on LongRoPE2's factors no longer follow NTK.
  public var criticalPair: Int?
  /// The attention scale, if it is searched too.
  public var mscale: Double?
  /// An attention scale for each pair: an experiment of the published code, which no runtime can
  /// express.
  public var pairMscales: [Double]?

  /// Creates a candidate.
  public init(
    _ factors: [Double], startTokens: Int = 0, criticalPair: Int? = nil, mscale: Double? = nil
  ) {
    self.factors = factors
    self.startTokens = startTokens
    self.criticalPair = criticalPair
    self.mscale = mscale
  }

  var isMonotone: Bool { zip(factors, factors.dropFirst()).allSatisfy { $0 <= $1 } }

  /// A key that is equal for near-duplicates, which agree to about 0.05 % in every factor.
  var key: CandidateKey {
    func rounded(_ value: Double) -> Int32 { Int32((log(max(value, 1e-9)) * 2000).rounded()) }
    return CandidateKey(
      numbers: factors.map(rounded) + [Int32(startTokens), mscale.map(rounded) ?? .max]
        + (pairMscales?.map(rounded) ?? []))
  }
}

struct CandidateKey: Codable, Hashable, Sendable {
  fileprivate var numbers: [Int32]
}
