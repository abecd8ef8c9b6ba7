/// Greedy decoding on a cache of keys and values, as one runtime would do it. What a prompt has in common with the one
/// before it is not computed again.
public final class Generator {
  private let forward: ForwardPass
  private let follower: Follower
  private var cache: KeyValueCache?
  /// The tokens whose keys are in the cache, and how they were rotated.
  private var cached: [Int] = []
  private var schedule: RopeSchedule?

  public init(_ forward: ForwardPass, _ follower: Follower) {
    self.forward = forward.running(forward.model.followed(by: follower.name).model).generating
    self.follower = follower
  }

  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - count: tokens to generate at most.
  ///   - stop: called with what there is after each token; true ends it.
  /// - Returns: the generated tokens, the one that ended it included.
  public func generate(
    _ prompt: [Int], count: Int, until stop: ([Int]) -> Bool = { _ in false }
  ) throws -> [Int] {
    precondition(!prompt.isEmpty)
    var tokens = prompt
    while tokens.count < prompt.count + count {
      let state = try state(after: tokens, follower.schedule(prompt: prompt.count, count: tokens.count), count)
      let logits = try forward.logits(state, rows: [0])
      tokens.append(forward.engine.logSumExp(logits, row: 0).greatest)
      if stop(Array(tokens[prompt.count...])) { break }
    }
    return Array(tokens[prompt.count...])
  }

  /// A known answer's scores: of each of its tokens, and of what follows it. What is generated next goes on from there.
  /// - Parameters:
  ///   - answer: what should follow the prompt.
  ///   - count: tokens that may be generated later.
  func evaluate(_ prompt: [Int], answer: [Int], count: Int) throws -> [TokenScore] {
    let tokens = prompt + answer
    let lengths = prompt.count...tokens.count
    let schedules = lengths.map { follower.schedule(prompt: prompt.count, count: $0) }
    var scores: [TokenScore] = []
    if schedules.allSatisfy({ $0 == schedules[0] }) {
      let states = try state(after: tokens, schedules[0], count, wanted: lengths.count)
      for (row, length) in lengths.enumerated() {
        scores.append(try score(states, row, length < tokens.count ? tokens[length] : tokens[0]))
      }
    } else {
      for (length, schedule) in zip(lengths, schedules) {
        let states = try state(after: Array(tokens[..<length]), schedule, count)
        scores.append(try score(states, 0, length < tokens.count ? tokens[length] : tokens[0]))
      }
    }
    return scores
  }

  private func score(_ states: Matrix, _ row: Int, _ token: Int) throws -> TokenScore {
    let logits = try forward.logits(states, rows: [row])
    let (total, greedy) = forward.engine.logSumExp(logits, row: 0)
    return TokenScore(
      logProbability: Double(logits[0, token]) - total, greedy: greedy,
      greedyLogProbability: Double(logits[0, greedy]) - total)
  }

  /// Whether the keys and values of so many tokens are within the limit.
  func fits(_ count: Int) -> Bool { KeyValueCache.byteCount(forward.model, capacity: count) <= forward.cacheLimit }

  /// Whether they are small enough to be kept without asking.
  func fitsEasily(_ count: Int) -> Bool {
    KeyValueCache.byteCount(forward.model, capacity: count) <= min(forward.cacheLimit, 1 << 30)
  }

  /// Whether the other would generate the same.
  func worksAlike(_ other: Generator, prompt: Int, count: Int) -> Bool {
    follower.generatesAlike(other.follower, prompt: prompt, count: count)
      && !forward.model.followed(by: follower.name).isVariant
      && !forward.model.followed(by: other.follower.name).isVariant
  }

  /// The normed state after the last of `tokens`. At the crossing the schedule is another one, and all keys are computed
  /// anew.
  private func state(
    after tokens: [Int], _ schedule: RopeSchedule, _ room: Int, wanted: Int = 1
  ) throws -> Matrix {
    var kept = 0
    let limit = min(cached.count, tokens.count - wanted, self.schedule?.commonPositions(with: schedule) ?? 0)
    while kept < limit, cached[kept] == tokens[kept] { kept += 1 }
    if cache.map({ $0.capacity < tokens.count }) ?? true {
      guard fits(tokens.count + room) else {
        let gibibytes = KeyValueCache.byteCount(forward.model, capacity: tokens.count + room) >> 30
        throw VerifyError(
          forward.model.path,
          "the keys and values of \(tokens.count) tokens take \(gibibytes) GiB, too much for this machine")
      }
      cache = KeyValueCache(forward.model, capacity: tokens.count + room)
      kept = 0
    }
    guard let cache else { preconditionFailure("the cache was just made") }
    cache.count = kept
    cached = []
    let state = try forward.extend(cache, by: Array(tokens[kept...]), schedule, wanted: wanted)
    cached = tokens
    self.schedule = schedule
    return state
  }
}
