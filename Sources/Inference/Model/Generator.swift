import Models
import Numerics

/// Greedy decoding with a cache of keys and values, as one runtime would do it.
///
/// The common prefix of a prompt and the previous one is not computed again.
public final class Generator {
  private let forward: ForwardPass
  private let policy: RopePolicy
  private var cache: KeyValueCache?
  /// The tokens with keys in the cache.
  private var cached: [Int] = []
  /// The schedule that rotated them.
  private var schedule: RopeSchedule?

  /// A generator for the runtime of `policy`, with that runtime's variant of the model.
  public init(_ forward: ForwardPass, _ policy: RopePolicy) {
    self.forward =
      forward.running(forward.model.applying(forward.model.variant(of: policy.name))).generating
    self.policy = policy
  }

  /// Generates tokens after a prompt.
  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - count: the largest number of tokens to generate.
  ///   - stop: called after each token with all generated tokens; true ends the generation.
  /// - Returns: the generated tokens, including the last one.
  /// - Throws: `ModelError` if the cache exceeds the limit, or if a weight contains NaN or
  ///   infinity; errors of the checkpoint.
  public func generate(
    _ prompt: [Int], count: Int, until stop: ([Int]) -> Bool = { _ in false }
  ) throws -> [Int] {
    precondition(!prompt.isEmpty)
    var tokens = prompt
    while tokens.count < prompt.count + count {
      let state = try state(
        after: tokens, policy.schedule(prompt: prompt.count, count: tokens.count), count)
      let logits = try forward.logits(state, rows: [0])
      tokens.append(forward.engine.logSumExp(logits, row: 0).greatest)
      if stop(Array(tokens[prompt.count...])) { break }
    }
    return Array(tokens[prompt.count...])
  }

  /// Scores each token of a known answer, and the prediction after it.
  ///
  /// The cache is kept for a generation that follows.
  /// - Parameters:
  ///   - answer: the tokens that should follow the prompt.
  ///   - count: the number of tokens that may be generated later.
  package func evaluate(_ prompt: [Int], answer: [Int], count: Int) throws -> [TokenScore] {
    let tokens = prompt + answer
    let lengths = prompt.count...tokens.count
    let schedules = lengths.map { policy.schedule(prompt: prompt.count, count: $0) }
    var scores: [TokenScore] = []
    if schedules.allSatisfy({ $0 == schedules[0] }) {
      let states = try state(after: tokens, schedules[0], count, wanted: lengths.count)
      for (row, length) in lengths.enumerated() {
        scores.append(
          try forward.score(states, row, length < tokens.count ? tokens[length] : tokens[0]))
      }
    } else {
      for (length, schedule) in zip(lengths, schedules) {
        let states = try state(after: Array(tokens[..<length]), schedule, count)
        scores.append(
          try forward.score(states, 0, length < tokens.count ? tokens[length] : tokens[0]))
      }
    }
    return scores
  }

  /// Whether the keys and values of `count` tokens are within the limit.
  package func fits(_ count: Int) -> Bool {
    byteCount(count) <= forward.cacheLimit
  }

  /// Whether the keys and values of `count` tokens are within the limit and take at most 1 GiB.
  package func fitsEasily(_ count: Int) -> Bool {
    byteCount(count) <= min(forward.cacheLimit, 1 << 30)
  }

  /// The bytes of the keys and values of `count` tokens.
  private func byteCount(_ count: Int) -> Int {
    KeyValueCache.byteCount(forward.model, capacity: count, isGrouped: policy.selfExtend != nil)
  }

  /// Whether another generator would generate the same tokens.
  package func generatesSame(_ other: Generator, prompt: Int, count: Int) -> Bool {
    policy.generatesAlike(other.policy, prompt: prompt, count: count)
      && forward.model.variant(of: policy.name)
        == other.forward.model.variant(of: other.policy.name)
  }

  /// The normed hidden states of the last `wanted` tokens.
  ///
  /// Keys that another schedule rotated differently are computed again.
  private func state(
    after tokens: [Int], _ schedule: RopeSchedule, _ room: Int, wanted: Int = 1
  ) throws -> Matrix {
    var kept = 0
    let limit = min(
      cached.count, tokens.count - wanted, self.schedule?.commonPositions(with: schedule) ?? 0)
    while kept < limit, cached[kept] == tokens[kept] { kept += 1 }
    if cache.map({ $0.capacity < tokens.count }) ?? true {
      guard fits(tokens.count + room) else {
        let needed = byteCount(tokens.count + room).memoryText
        throw ModelError.unsupported(
          forward.model.path,
          """
          the keys and values of \(tokens.count) tokens would take \(needed), which is too much for \
          this machine
          """)
      }
      cache = KeyValueCache(
        forward.model, capacity: tokens.count + room, isGrouped: policy.selfExtend != nil)
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

extension ForwardPass {
  /// The score of a token that follows one row of hidden states.
  /// - Parameter states: (rows, hidden), normed.
  func score(_ states: Matrix, _ row: Int, _ token: Int) throws -> TokenScore {
    let logits = try logits(states, rows: [row])
    let (total, greedy) = engine.logSumExp(logits, row: 0)
    return TokenScore(
      logProbability: Double(logits[0, token]) - total, greedy: greedy,
      greedyLogProbability: Double(logits[0, greedy]) - total)
  }
}
