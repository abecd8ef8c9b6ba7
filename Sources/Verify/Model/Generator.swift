/// Greedy decoding on a cache of keys and values, as one runtime would do it.
public struct Generator: Sendable {
  private let forward: ForwardPass
  private let follower: Follower

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
    let cache = KeyValueCache(forward.model, capacity: prompt.count + count)
    var tokens = prompt
    var used = follower.schedule(prompt: prompt.count, count: prompt.count)
    while tokens.count < prompt.count + count {
      let schedule = follower.schedule(prompt: prompt.count, count: tokens.count)
      if schedule != used {
        // The crossing: all keys are computed anew.
        cache.count = 0
        used = schedule
      }
      let state = try forward.extend(cache, by: Array(tokens[cache.count...]), schedule)
      let logits = try forward.logits(state, rows: [0])
      tokens.append(forward.engine.logSumExp(logits, row: 0).greatest)
      if stop(Array(tokens[prompt.count...])) { break }
    }
    return Array(tokens[prompt.count...])
  }
}
