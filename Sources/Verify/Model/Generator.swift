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
    self.forward = forward.running(forward.model.followed(by: follower.name).model)
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

  /// The normed state after the last of `tokens`. At the crossing the schedule is another one, and all keys are computed
  /// anew.
  private func state(after tokens: [Int], _ schedule: RopeSchedule, _ room: Int) throws -> Matrix {
    var kept = 0
    let limit = min(cached.count, tokens.count - 1, self.schedule?.commonPositions(with: schedule) ?? 0)
    while kept < limit, cached[kept] == tokens[kept] { kept += 1 }
    if cache.map({ $0.capacity < tokens.count }) ?? true {
      cache = KeyValueCache(forward.model, capacity: tokens.count + room)
      kept = 0
    }
    guard let cache else { preconditionFailure("the cache was just made") }
    cache.count = kept
    cached = []
    let state = try forward.extend(cache, by: Array(tokens[kept...]), schedule)
    cached = tokens
    self.schedule = schedule
    return state
  }
}
