public import Models
public import Patch

/// Chooses the rotary table of each token as one runtime would.
public struct RopePolicy: Equatable, Sendable {
  /// The name of the runtime, or `paper`.
  public let name: String
  /// The tables in the order of the greatest length that each serves.
  ///
  /// The last one has no limit.
  private let stages: [Stage]
  private let rule: Rule
  /// The number of tokens of a prompt that are given at once; nil for all.
  private let chunk: Int?
  /// How far keys are grouped; nil if they are not.
  let selfExtend: SelfExtend?

  private struct Stage: Equatable, Sendable {
    var limit: Int
    var table: RopeSchedule.Table
  }

  private enum Rule: Equatable { case fixed, recomputed, kept, growing(DynamicNTK) }

  /// The policy of a runtime.
  /// - Parameter prefill: how prompts are given to it. The papers' rule does not depend on that.
  /// - Throws: `ModelError` if the runtime does not run the model, or not as `Inference` does.
  public init(_ reading: RuntimeReading, prefill: Prefill = .own) throws {
    guard let short = reading.short, let long = reading.long, long.inverseFrequencies != nil else {
      throw ModelError.unsupported(reading.title, reading.notes.first ?? "does not run the model")
    }
    if let other = reading.uncomputed {
      throw ModelError.unsupported(reading.title, "not computed here: \(other)")
    }
    name = reading.name
    chunk = reading.prefill.flatMap { prefill.chunk($0) }
    selfExtend = nil
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
    case .growing(let scaling):
      stages = [Stage(limit: .max, table: try RopeSchedule.Table(short))]
      rule = .growing(scaling)
    }
  }

  /// The papers' rule for a set of factors, including lists that differ by layer, start tokens, and
  /// tables by length, which no runtime can express.
  /// - Throws: `ModelError` if the number of factors does not fit the model.
  public init(paper set: FactorSet, geometry: RopeGeometry) throws {
    let original = set.originalWindow ?? geometry.originalWindow
    let mscales = set.mscale.values(originalWindow: original, window: set.window ?? geometry.window)
    func table(_ factors: FactorTable?, _ mscale: Double) -> RopeSchedule.Table {
      func frequencies(_ factors: [Double]?) -> [Float] {
        RotaryFrequencies.singlePrecision(
          theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factors: factors)
      }
      return RopeSchedule.Table(
        inverseFrequencies: factors.map { $0.rows.map { frequencies($0) } } ?? [frequencies(nil)],
        mscale: Float(mscale), startTokens: factors == nil ? 0 : set.startTokens,
        unscaled: set.startTokens > 0 ? frequencies(nil) : [])
    }
    for factors in [set.long, set.short].compactMap(\.self) + set.buckets.map(\.factors) {
      guard factors.pairs * 2 == geometry.rotaryDimensions else {
        throw ModelError.unsupported(
          "factors",
          "there are \(factors.pairs) factors for \(geometry.rotaryDimensions) rotary dimensions, expected \(geometry.rotaryDimensions / 2)"
        )
      }
    }
    name = "paper"
    chunk = nil
    selfExtend = nil
    rule = .recomputed
    let buckets = set.buckets.sorted { $0.maximumLength < $1.maximumLength }.map {
      Stage(limit: $0.maximumLength, table: table($0.factors, mscales.long))
    }
    stages =
      [Stage(limit: original, table: table(set.short, mscales.short))]
      + buckets.filter { $0.limit > original }
      + [Stage(limit: .max, table: table(set.long, mscales.long))]
  }

  /// One table for every length, for the candidates of a search.
  /// - Parameters:
  ///   - factors: one factor per pair.
  ///   - pairMscales: one attention scale per pair instead of `mscale`, or nil.
  package init(
    trying factors: [Double], startTokens: Int, mscale: Double, pairMscales: [Double]?,
    geometry: RopeGeometry
  ) {
    precondition(factors.count * 2 == geometry.rotaryDimensions)
    func frequencies(_ factors: [Double]?) -> [Float] {
      RotaryFrequencies.singlePrecision(
        theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factors: factors)
    }
    let table = RopeSchedule.Table(
      inverseFrequencies: [frequencies(factors)], mscale: Float(mscale), startTokens: startTokens,
      unscaled: startTokens > 0 ? frequencies(nil) : [],
      pairMscales: pairMscales?.map { Float($0) } ?? [])
    name = "paper"
    chunk = nil
    selfExtend = nil
    rule = .fixed
    stages = [Stage(limit: .max, table: table)]
  }

  /// A model extended without factors.
  /// - Parameters:
  ///   - plain: how the model is read without factors.
  ///   - geometry: the model with its original window and the one that is to be reached.
  ///   - prefill: how prompts are given; by default at once.
  /// - Throws: `ModelError` if the model has a scaling that the method cannot be combined with.
  public init(
    _ method: ExtensionMethod, of plain: RuntimeReading, _ geometry: RopeGeometry,
    prefill: Prefill = .own
  ) throws {
    name = method.name
    if case .chunks(let size) = prefill { chunk = size } else { chunk = nil }
    switch method {
    case .selfExtend(let selfExtend):
      guard plain.rule == .fixed, let table = plain.long, plain.uncomputed == nil else {
        throw ModelError.unsupported(
          method.name,
          "cannot be combined with the model's scaling '\(plain.long?.name ?? geometry.scalingType)'"
        )
      }
      self.selfExtend = selfExtend
      rule = .fixed
      stages = [Stage(limit: .max, table: try RopeSchedule.Table(table))]
    case .dynamicNTK:
      let scaling = DynamicNTK(geometry)
      selfExtend = nil
      rule = .growing(scaling)
      stages = [Stage(limit: .max, table: RopeSchedule.Table(scaling, length: scaling.window))]
    }
  }

  /// The schedule with which the token after a sequence is predicted.
  /// - Parameters:
  ///   - prompt: the number of tokens that were given at once.
  ///   - count: the number of all tokens so far.
  public func schedule(prompt: Int, count: Int) -> RopeSchedule {
    switch rule {
    case .fixed: return RopeSchedule(stages[0].table, selfExtend)
    case .recomputed:
      return chunk != nil && prompt > stages[0].limit
        ? afterChunks : RopeSchedule(stage(max(prompt, count)).table)
    case .kept:
      let (short, long) = (stages[0], stages[1])
      return prompt > short.limit
        ? afterChunks : RopeSchedule(short.table, before: short.limit, then: long.table)
    case .growing(let scaling): return RopeSchedule(scaling, prompt: prompt, chunk: chunk)
    }
  }

  /// The schedule of a prompt beyond the first limit: the chunks that end within it are short.
  private var afterChunks: RopeSchedule {
    let (short, long) = (stages[0], stages[1])
    return RopeSchedule(
      short.table, before: chunk.map { PrefillChunks.within(short.limit, of: $0) } ?? 0,
      then: long.table)
  }

  /// Whether both policies rotate a prompt and `count` generated tokens in the same way.
  func generatesAlike(_ other: RopePolicy, prompt: Int, count: Int) -> Bool {
    [prompt, prompt + count].allSatisfy {
      schedule(prompt: prompt, count: $0) == other.schedule(prompt: prompt, count: $0)
    }
      && (rule == other.rule
        || (stages.allSatisfy { !(prompt..<prompt + count).contains($0.limit) }))
  }

  private func stage(_ length: Int) -> Stage {
    stages.first { length <= $0.limit } ?? stages[stages.count - 1]
  }

  /// The schedules on both sides of the switch, for a policy that computes all keys again there.
  ///
  /// Nil for others.
  package var recomputedSwitch: (limit: Int, first: RopeSchedule, second: RopeSchedule)? {
    guard rule == .recomputed, stages.count == 2, stages[0].table != stages[1].table else {
      return nil
    }
    return (stages[0].limit, RopeSchedule(stages[0].table), RopeSchedule(stages[1].table))
  }

  /// The positions to score, grouped by the schedule that rotates the tokens before them.
  ///
  /// The token at position p is predicted from the p tokens before it.
  package func passes(prompt: Int, scored: [Int]) -> [(schedule: RopeSchedule, scored: [Int])] {
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
