import Numerics

/// The prediction of one token, given all tokens before it.
public struct TokenScore: Equatable, Sendable {
  /// The natural logarithm of the token's probability.
  public var logProbability: Double
  /// The most likely token at the same position.
  public var greedy: Int
  /// The natural logarithm of that token's probability.
  public var greedyLogProbability: Double
}

/// Scores sequences as several runtimes would.
///
/// Common work is done once: for runtimes that rotate in the same way, and for sequences with a
/// common prefix.
public struct Scoring: Sendable {
  /// A sequence with a prompt that was given at once and further tokens that were generated.
  public struct Sequence: Sendable {
    /// All tokens.
    public var tokens: [Int]
    /// The number of tokens in the prompt.
    public var prompt: Int
    /// The positions of the tokens to score.
    ///
    /// Position 0 cannot be scored.
    public var scored: [Int]
    /// The weight of each scored token in the mean loss; nil if all weigh the same.
    public var weights: [Double]?

    /// The mean loss of the scored tokens, in nats.
    /// - Parameter scores: in the order of `scored`.
    public func loss(_ scores: [TokenScore]) -> Double {
      guard let weights else {
        return -scores.reduce(0) { $0 + $1.logProbability } / Double(scores.count)
      }
      return -zip(scores, weights).reduce(0) { $0 + $1.0.logProbability * $1.1 }
    }

    /// The share of one scored token in the mean loss.
    func weight(_ index: Int) -> Double { weights?[index] ?? 1 / Double(scored.count) }

    /// - Precondition: all positions in `scored` are from 1 to the last one.
    public init(tokens: [Int], prompt: Int, scored: [Int]) {
      precondition(scored.allSatisfy { (1..<tokens.count) ~= $0 })
      self.tokens = tokens
      self.prompt = prompt
      self.scored = scored
    }
  }

  /// The forward pass.
  public let forward: ForwardPass
  /// The policies of the runtimes.
  public let policies: [RopePolicy]

  /// Scores as each of the policies' runtimes would.
  public init(_ forward: ForwardPass, _ policies: [RopePolicy]) {
    self.forward = forward
    self.policies = policies
  }

  /// Positions of one sequence under one schedule.
  private struct Job {
    var sequence: Int
    var schedule: RopeSchedule
    var variant: Transformer.Variant?
    var scored: [Int]
    /// The policies that share the job.
    var policies: [Int]
  }

  /// Scores sequences one after another.
  /// - Parameter each: called as soon as the scores of a sequence are known, with the index of the
  ///   sequence, the index of the policy, and the scores in the order of `Sequence.scored`.
  /// - Throws: `ModelError` if a token or a table does not fit the model, or if a weight contains
  ///   NaN or infinity; errors of `each` and of the checkpoint.
  public func run(_ sequences: [Sequence], each: (Int, Int, [TokenScore]) throws -> Void) throws {
    let jobs = sequences.indices.flatMap { makeJobs(sequences[$0], $0) }
    var known: [Int: [[Int: TokenScore]]] = [:]
    var finished = 0
    for batch in batches(jobs, sequences) {
      let scores = try Self.scores(batch, sequences, forward)
      for (job, found) in zip(batch, scores) {
        for policy in job.policies {
          known[job.sequence, default: Array(repeating: [:], count: policies.count)][policy]
            .merge(found) { old, _ in old }
        }
      }
      while finished < sequences.count, let parts = known[finished],
        parts.allSatisfy({ $0.count == sequences[finished].scored.count })
      {
        for (policy, found) in parts.enumerated() {
          try each(finished, policy, sequences[finished].scored.compactMap { found[$0] })
        }
        known[finished] = nil
        finished += 1
      }
    }
  }

  private func makeJobs(_ sequence: Sequence, _ number: Int) -> [Job] {
    var jobs: [Job] = []
    for (index, policy) in policies.enumerated() {
      let variant = forward.model.variant(of: policy.name)
      for pass in policy.passes(prompt: sequence.prompt, scored: sequence.scored) {
        let same = jobs.firstIndex {
          $0.schedule == pass.schedule && $0.variant == variant && $0.scored == pass.scored
        }
        if let same {
          jobs[same].policies.append(index)
        } else {
          jobs.append(
            Job(
              sequence: number, schedule: pass.schedule, variant: variant, scored: pass.scored,
              policies: [index]))
        }
      }
    }
    return jobs
  }

  // MARK: Batches

  /// The largest number of bytes of hidden states in a batch.
  ///
  /// A batch may always have twice as many rows as the longest sequence.
  private static let hiddenBytes = 256 << 20

  /// Divides the jobs into batches, in order.
  private func batches(_ jobs: [Job], _ sequences: [Sequence]) -> [[Job]] {
    let longest = jobs.map { sequences[$0.sequence].tokens.count }.max() ?? 0
    let limit = max(Self.hiddenBytes / (4 * forward.model.hidden), 2 * longest)
    var batches: [[Job]] = []
    var rows = 0
    for job in jobs {
      let count = sequences[job.sequence].tokens.count
      // A much longer sequence begins a new batch, so that the scores of the short ones come
      // sooner.
      if let last = batches.last, let first = last.first, first.variant == job.variant,
        count <= 4 * sequences[first.sequence].tokens.count
      {
        let shared = last.map { Self.common($0, job, sequences) }.max() ?? 0
        if rows + count - shared <= limit {
          batches[batches.count - 1].append(job)
          rows += count - shared
          continue
        }
      }
      batches.append([job])
      rows = count
    }
    return batches
  }

  /// The number of first positions that two jobs have in common.
  private static func common(_ first: Job, _ second: Job, _ sequences: [Sequence]) -> Int {
    let (a, b) = (sequences[first.sequence].tokens, sequences[second.sequence].tokens)
    let limit = min(a.count, b.count, first.schedule.commonPositions(with: second.schedule))
    if first.sequence == second.sequence { return limit }
    var count = 0
    while count < limit, a[count] == b[count] { count += 1 }
    return count
  }

  // MARK: One batch

  /// The number of rows of logits that are computed at a time.
  private static let scoredRows = 64

  private static func scores(
    _ jobs: [Job], _ sequences: [Sequence], _ forward: ForwardPass
  ) throws -> [[Int: TokenScore]] {
    let forward = forward.running(forward.model.applying(jobs.first?.variant))
    let (batch, leaves) = tree(jobs, sequences)
    // The token at p is predicted from the row of position p - 1.
    var asked: [Int: [(job: Int, position: Int)]] = [:]
    for (number, job) in jobs.enumerated() {
      for position in job.scored {
        asked[batch.row(of: position - 1, in: leaves[number]), default: []].append(
          (number, position))
      }
    }
    let rows = asked.keys.sorted()
    let states = try forward.states(batch, wanted: rows)
    var result: [[Int: TokenScore]] = Array(repeating: [:], count: jobs.count)
    for start in stride(from: 0, to: rows.count, by: scoredRows) {
      let part = Array(start..<min(start + scoredRows, rows.count))
      let logits = try forward.logits(states, rows: part)
      for (index, place) in part.enumerated() {
        let (total, greedy) = forward.engine.logSumExp(logits, row: index)
        for (job, position) in asked[rows[place]] ?? [] {
          let token = sequences[jobs[job].sequence].tokens[position]
          result[job][position] = TokenScore(
            logProbability: Double(logits[index, token]) - total, greedy: greedy,
            greedyLogProbability: Double(logits[index, greedy]) - total)
        }
      }
    }
    return result
  }

  /// Arranges jobs as a tree: each one continues the earlier job with the longest common prefix.
  /// - Returns: the batch, and the last segment of each job.
  private static func tree(_ jobs: [Job], _ sequences: [Sequence]) -> (Batch, [Int]) {
    var batch = Batch()
    var leaves: [Int] = []
    for (number, job) in jobs.enumerated() {
      let tokens = sequences[job.sequence].tokens
      // The last scored token and all tokens after it are not needed as inputs.
      let needed = tokens[..<(job.scored.last ?? 0)]
      let shared = (0..<number).map { (job: $0, count: common(jobs[$0], job, sequences)) }
      let best = shared.max { $0.count < $1.count } ?? (0, 0)
      var (parent, count): (Int?, Int) = (nil, 0)
      if best.count > 0 {
        let length = batch.segments[leaves[best.job]].positions.upperBound
        (parent, count) = (leaves[best.job], min(best.count, length, needed.count))
      }
      leaves.append(
        batch.add(needed[count...], job.schedule, parent: count > 0 ? parent : nil, start: count))
    }
    return (batch, leaves)
  }
}
