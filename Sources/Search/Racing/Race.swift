/// Evaluates a generation unit by unit, and stops candidates that are unlikely to reach the
/// threshold.
///
/// The units are a finite population in random order. From a sixth of them on, after 3, 4, 6, 8,
/// 12, ... units, each candidate's differences to the threshold are tested. The level of a test is
/// in proportion to the units that came since the last look (alpha spending), so all looks together
/// err with probability alpha. Fewer units say too little about losses with a long tail. If the
/// threshold is one of the candidates themselves, it was chosen by the same losses, so the test
/// uses half the level.
struct Race {
  let settings: RaceSettings
  let pool: any EvaluatorPool
  let units: FitnessUnits

  /// Unit counts at which candidates are tested.
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
    _ candidates: [Candidate], _ threshold: Threshold, _ cost: inout SearchCost,
    _ random: inout SearchRandom
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
        let level = settings.alpha * threshold.share * Double(look - seen) / Double(units.count)
        let losers = Set(alive.filter { loses($0, results, alive, threshold, level) })
        stopped += losers.sorted()
        alive.removeAll { losers.contains($0) }
      }
      seen = look
    }
    for index in alive { results[index].isComplete = true }
    cost.stopped += stopped.count
    try audit(stopped, results, threshold, &cost, &random)
    return results
  }

  /// Evaluates the remaining candidates up to `end`.
  /// - Returns: the number of tokens that were evaluated.
  private func extend(_ results: inout [Evaluated], _ alive: [Int], to end: Int) throws -> Int {
    guard let first = alive.first else { return 0 }
    let range = results[first].losses.count..<end
    let losses = try pool.losses(alive.map { results[$0].candidate }, units: range)
    for (place, index) in alive.enumerated() { results[index].losses += losses[place] }
    return alive.count * units.tokens(in: range)
  }

  private func loses(
    _ index: Int, _ results: [Evaluated], _ alive: [Int], _ threshold: Threshold, _ level: Double
  ) -> Bool {
    // If only the wanted number of candidates is left, none has to be stopped.
    if case .best(let count) = threshold, alive.count <= count { return false }
    guard let other = reference(threshold, results, alive),
      other.losses != results[index].losses
    else { return false }
    let differences = zip(results[index].losses, other.losses).map { $0 - $1 }
    return PairedTest.pValue(differences, of: units.count) < level
  }

  private func reference(
    _ threshold: Threshold, _ results: [Evaluated], _ alive: [Int]
  ) -> Evaluated? {
    switch threshold {
    case .candidate(let other): return other
    case .best(let count):
      guard alive.count >= count else { return nil }
      let order = alive.sorted { (results[$0].fitness, $0) < (results[$1].fitness, $1) }
      return results[order[count - 1]]
    }
  }

  private func audit(
    _ stopped: [Int], _ results: [Evaluated], _ threshold: Threshold, _ cost: inout SearchCost,
    _ random: inout SearchRandom
  ) throws {
    let chosen = stopped.filter { _ in random.chance(settings.audit) }
    let complete = results.indices.filter { results[$0].isComplete }
    for index in chosen {
      var whole = [results[index]]
      cost.auditTokens += try extend(&whole, [0], to: units.count)
      cost.audited += 1
      guard let other = reference(threshold, results, complete) else { continue }
      if whole[0].fitness < other.fitness { cost.wronglyStopped += 1 }
    }
  }
}

extension Threshold {
  /// The share of the test's level to use.
  fileprivate var share: Double { if case .best = self { 0.5 } else { 1 } }
}
