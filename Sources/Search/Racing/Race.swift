/// When candidates are stopped early.
public struct RaceSettings: Codable, Equatable, Sendable {
  public var isOn = true
  /// The probability, over all looks at one candidate, of stopping it although it reaches the bar.
  public var alpha = 0.05
  /// The share of those stopped that are evaluated to the end nevertheless, to measure how many were stopped wrongly.
  public var audit = 0.05

  public init() {}
}

/// What was evaluated.
public struct SearchCost: Codable, Equatable, Sendable {
  /// Candidates that were begun.
  public var evaluations = 0
  public var units = 0
  public var tokens = 0
  public var stopped = 0
  /// Of those stopped, how many were evaluated to the end, and how many of these did reach the bar.
  public var audited = 0
  public var wronglyStopped = 0
  /// Of the audits, which are not part of `tokens`.
  public var auditTokens = 0

  public init() {}
}

/// Evaluates a generation, unit after unit, without those that cannot plausibly reach the bar.
///
/// The units are a finite population in random order. After a sixth of them, and then after 3, 4, 6, 8, 12, ..., each
/// candidate's differences to the bar's are tested; the test's level grows with the share of units seen (alpha spending in
/// proportion to it), so that all looks together err with the probability that is asked for. Fewer units say too little of
/// losses with a long tail. A bar that is one of the candidates themselves is chosen by the same losses, so it is tested at
/// half the level.
struct Race {
  let settings: RaceSettings
  let spread: any Spread
  let units: FitnessUnits

  /// Numbers of units after which is looked.
  static func looks(_ units: Int) -> [Int] {
    let least = max(3, (units + 5) / 6)
    return powers(below: units).filter { $0 >= least }
  }

  /// 2, 3, 4, 6, 8, 12, ...
  private static func powers(below units: Int) -> [Int] {
    var looks: [Int] = []
    var power = 2
    while power < units {
      looks.append(power)
      if power + power / 2 < units { looks.append(power + power / 2) }
      power *= 2
    }
    return looks
  }

  func run(
    _ candidates: [Candidate], _ bar: Bar, _ cost: inout SearchCost, _ random: inout SearchRandom
  ) throws -> [Evaluated] {
    var results = candidates.map { Evaluated(candidate: $0, losses: [], isComplete: false) }
    var alive = Array(candidates.indices)
    cost.evaluations += candidates.count
    var seen = 0
    var stopped: [Int] = []
    for look in (settings.isOn ? Self.looks(units.count) : []) + [units.count] {
      cost.tokens += try extend(&results, alive, to: look)
      cost.units += alive.count * (look - seen)
      if look < units.count {
        let level = settings.alpha * bar.share * Double(look - seen) / Double(units.count)
        let losers = Set(alive.filter { loses($0, results, alive, bar, level) })
        stopped += losers.sorted()
        alive.removeAll { losers.contains($0) }
      }
      seen = look
    }
    for index in alive { results[index].isComplete = true }
    cost.stopped += stopped.count
    try audit(stopped, results, bar, &cost, &random)
    return results
  }

  /// - Returns: the tokens that this took.
  private func extend(_ results: inout [Evaluated], _ alive: [Int], to end: Int) throws -> Int {
    guard let first = alive.first else { return 0 }
    let range = results[first].losses.count..<end
    let losses = try spread.losses(alive.map { results[$0].candidate }, units: range)
    for (place, index) in alive.enumerated() { results[index].losses += losses[place] }
    return alive.count * units.tokens(in: range)
  }

  private func loses(_ index: Int, _ results: [Evaluated], _ alive: [Int], _ bar: Bar, _ level: Double) -> Bool {
    // Where no more are left than are wanted, nobody has to go.
    if case .best(let count) = bar, alive.count <= count { return false }
    guard let other = reference(bar, results, alive), other.losses != results[index].losses else { return false }
    let differences = zip(results[index].losses, other.losses).map { $0 - $1 }
    return PairedTest.pValue(differences, of: units.count) < level
  }

  private func reference(_ bar: Bar, _ results: [Evaluated], _ alive: [Int]) -> Evaluated? {
    switch bar {
    case .candidate(let other): return other
    case .best(let count):
      guard alive.count >= count else { return nil }
      let order = alive.sorted { (results[$0].fitness, $0) < (results[$1].fitness, $1) }
      return results[order[count - 1]]
    }
  }

  private func audit(
    _ stopped: [Int], _ results: [Evaluated], _ bar: Bar, _ cost: inout SearchCost, _ random: inout SearchRandom
  ) throws {
    let chosen = stopped.filter { _ in random.chance(settings.audit) }
    let complete = results.indices.filter { results[$0].isComplete }
    for index in chosen {
      var whole = [results[index]]
      cost.auditTokens += try extend(&whole, [0], to: units.count)
      cost.audited += 1
      guard let other = reference(bar, results, complete) else { continue }
      if whole[0].fitness < other.fitness { cost.wronglyStopped += 1 }
    }
  }
}

extension Bar {
  /// Of the test's level.
  fileprivate var share: Double { if case .best = self { 0.5 } else { 1 } }
}
