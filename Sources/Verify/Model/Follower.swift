public import Patch

/// Rotates sequences as one runtime would.
public struct Follower: Equatable, Sendable {
  /// The runtime's name, or `paper`.
  public let name: String
  /// Tables by the greatest length that each serves, in order; the last has no limit.
  private let stages: [Stage]
  private let rule: Rule

  private struct Stage: Equatable, Sendable {
    var limit: Int
    var table: RopeSchedule.Table
  }

  private enum Rule { case fixed, recomputed, kept }

  /// - Throws: `VerifyError` for a runtime that does not run the model.
  public init(_ reading: RuntimeReading) throws {
    guard let short = reading.short, let long = reading.long else {
      throw VerifyError(reading.title, reading.notes.first ?? "does not run the model")
    }
    name = reading.name
    let last = Stage(limit: .max, table: try RopeSchedule.Table(long))
    switch reading.rule {
    case .fixed:
      stages = [last]
      rule = .fixed
    case .recomputed(let limit):
      stages = [Stage(limit: limit, table: try RopeSchedule.Table(short)), last]
      rule = .recomputed
    case .kept(let limit):
      stages = [Stage(limit: limit, table: try RopeSchedule.Table(short)), last]
      rule = .kept
    }
  }

  /// The paper's rule for a factor set, with what no runtime can express: lists that differ by layer, start tokens,
  /// and tables by length.
  /// - Throws: `VerifyError` for a set without its original window.
  public init(paper set: FactorSet, geometry: RopeGeometry) throws {
    let original = set.originalWindow ?? geometry.originalWindow
    let mscales = set.mscale.values(originalWindow: original, window: set.window ?? geometry.window)
    func table(_ factors: FactorTable?, _ mscale: Double) -> RopeSchedule.Table {
      func frequencies(_ factors: [Double]?) -> [Float] {
        LongRoPE.singlePrecisionInverseFrequencies(
          theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factors: factors)
      }
      return RopeSchedule.Table(
        inverseFrequencies: factors.map { $0.rows.map { frequencies($0) } } ?? [frequencies(nil)],
        mscale: Float(mscale), startTokens: factors == nil ? 0 : set.startTokens,
        unscaled: set.startTokens > 0 ? frequencies(nil) : [])
    }
    for factors in [set.long, set.short].compactMap(\.self) + set.buckets.map(\.factors) {
      guard factors.pairs * 2 == geometry.rotaryDimensions else {
        throw VerifyError("factors", "\(factors.pairs) factors for \(geometry.rotaryDimensions) rotary dimensions")
      }
    }
    name = "paper"
    rule = .recomputed
    let buckets = set.buckets.sorted { $0.maximumLength < $1.maximumLength }.map {
      Stage(limit: $0.maximumLength, table: table($0.factors, mscales.long))
    }
    stages =
      [Stage(limit: original, table: table(set.short, mscales.short))] + buckets.filter { $0.limit > original }
      + [Stage(limit: .max, table: table(set.long, mscales.long))]
  }

  /// One table for every length, as a search tries it.
  /// - Parameters:
  ///   - factors: one a pair.
  ///   - pairMscales: one a pair instead of `mscale`.
  package init(
    trying factors: [Double], startTokens: Int, mscale: Double, pairMscales: [Double]?, geometry: RopeGeometry
  ) {
    precondition(factors.count * 2 == geometry.rotaryDimensions)
    func frequencies(_ factors: [Double]?) -> [Float] {
      LongRoPE.singlePrecisionInverseFrequencies(
        theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factors: factors)
    }
    let table = RopeSchedule.Table(
      inverseFrequencies: [frequencies(factors)], mscale: Float(mscale), startTokens: startTokens,
      unscaled: startTokens > 0 ? frequencies(nil) : [], pairMscales: pairMscales?.map { Float($0) } ?? [])
    name = "paper"
    rule = .fixed
    stages = [Stage(limit: .max, table: table)]
  }

  /// The schedule of a sequence of so many tokens, of which the first `prompt` were given at once: as it stands when the
  /// token after the last is predicted.
  public func schedule(prompt: Int, count: Int) -> RopeSchedule {
    switch rule {
    case .fixed: return RopeSchedule(stages[0].table)
    case .recomputed: return RopeSchedule(stage(max(prompt, count)).table)
    case .kept:
      let (short, long) = (stages[0], stages[1])
      return prompt > short.limit
        ? RopeSchedule(long.table) : RopeSchedule(short.table, before: short.limit, then: long.table)
    }
  }

  /// Whether both rotate a prompt and so many generated tokens alike.
  func generatesAlike(_ other: Follower, prompt: Int, count: Int) -> Bool {
    [prompt, prompt + count].allSatisfy {
      schedule(prompt: prompt, count: $0) == other.schedule(prompt: prompt, count: $0)
    } && (rule == other.rule || (stages.allSatisfy { !(prompt..<prompt + count).contains($0.limit) }))
  }

  private func stage(_ length: Int) -> Stage { stages.first { length <= $0.limit } ?? stages[stages.count - 1] }

  /// The positions to score, grouped by the schedule that rotates the tokens before each. The token at p is predicted
  /// from the p tokens before it.
  func passes(prompt: Int, scored: [Int]) -> [(schedule: RopeSchedule, scored: [Int])] {
    var groups: [(schedule: RopeSchedule, scored: [Int])] = []
    for position in scored {
      let schedule = schedule(prompt: prompt, count: position)
      if let index = groups.firstIndex(where: { $0.schedule == schedule }) {
        groups[index].scored.append(position)
      } else {
        groups.append((schedule, [position]))
      }
    }
    return groups
  }
}
