import Glibc

/// One set of factors whose fitness is asked.
public struct Candidate: Codable, Equatable, Sendable {
  /// One a pair, on top of the factors that the model has already.
  public var factors: [Double]
  /// n-hat: the first tokens, which keep their original angles.
  public var startTokens = 0
  /// Where LongRoPE2's factors stop following NTK.
  public var criticalPair: Int?
  /// The attention scale, where it is searched too.
  public var mscale: Double?
  /// The same for each pair: an experiment of the published code, which no runtime can express.
  public var pairMscales: [Double]?

  public init(_ factors: [Double], startTokens: Int = 0, criticalPair: Int? = nil, mscale: Double? = nil) {
    self.factors = factors
    self.startTokens = startTokens
    self.criticalPair = criticalPair
    self.mscale = mscale
  }

  var isMonotone: Bool { zip(factors, factors.dropFirst()).allSatisfy { $0 <= $1 } }

  /// Equal for candidates that are too near to each other to be worth two evaluations: to 0.05 % in every factor.
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
