public import Patch

/// Runs sequences as one runtime would rotate them.
public struct Follower: Equatable, Sendable {
  /// The runtime's name, or `paper`.
  public let name: String
  private let short: UsedTable
  private let long: UsedTable
  private let rule: SwitchRule

  /// - Throws: `VerifyError` for a runtime that does not run the model.
  public init(_ reading: RuntimeReading) throws {
    guard let short = reading.short, let long = reading.long else {
      throw VerifyError(reading.title, reading.notes.first ?? "does not run the model")
    }
    name = reading.name
    self.short = short
    self.long = long
    rule = reading.rule
  }

  /// One prefill, and the positions that are to be scored in it.
  struct Pass: Hashable, Sendable {
    var schedule: RopeSchedule
    var scored: [Int]
  }

  /// The prefills that give what the runtime would compute when it is given `prompt` tokens at once and generates the
  /// rest of `count` tokens one by one. `scored` are positions; the token at p is predicted from the p tokens before it.
  func passes(prompt: Int, count: Int, scored: [Int]) throws -> [Pass] {
    switch rule {
    case .fixed:
      return [Pass(schedule: try RopeSchedule(long, count: count), scored: scored)]
    case .recomputed(let limit):
      // Prompt tokens are predicted within the prompt, whose whole length chooses the table.
      let within = scored.filter { max($0, prompt) <= limit }
      let beyond = scored.filter { max($0, prompt) > limit }
      return try [(short, within), (long, beyond)].filter { !$0.1.isEmpty }.map {
        Pass(schedule: try RopeSchedule($0.0, count: count), scored: $0.1)
      }
    case .kept(let limit):
      let schedule = try RopeSchedule(short: short, long: long, count: count) { position in
        max(position + 1, prompt) > limit
      }
      return [Pass(schedule: schedule, scored: scored)]
    }
  }
}

/// Scores one sequence as several runtimes would, computing what they share once.
struct SharedScores {
  private let forward: ForwardPass
  private var known: [Follower.Pass: [Int: ForwardPass.Score]] = [:]
  private let tokens: [Int]
  private let prompt: Int

  init(_ forward: ForwardPass, tokens: [Int], prompt: Int) {
    self.forward = forward
    self.tokens = tokens
    self.prompt = prompt
  }

  /// - Returns: one score a position, in order.
  mutating func scores(_ follower: Follower, at positions: [Int]) throws -> [ForwardPass.Score] {
    var found: [Int: ForwardPass.Score] = [:]
    for pass in try follower.passes(prompt: prompt, count: tokens.count, scored: positions) {
      if known[pass] == nil {
        let scores = try forward.scores(of: tokens, schedule: pass.schedule, at: pass.scored)
        known[pass] = Dictionary(uniqueKeysWithValues: zip(pass.scored, scores))
      }
      found.merge(known[pass] ?? [:]) { first, _ in first }
    }
    return positions.compactMap { found[$0] }
  }
}
