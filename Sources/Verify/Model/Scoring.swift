/// What the model thinks of one token, given all before it.
public struct TokenScore: Equatable, Sendable {
  /// Natural logarithm of the token's probability.
  public var logProbability: Double
  /// The likeliest token in its place, and its log-probability.
  public var greedy: Int
  public var greedyLogProbability: Double
}

/// Scores sequences as several runtimes would, computing what is common once: runtimes that rotate alike, and tokens
/// that sequences begin with.
public struct Scoring: Sendable {
  /// A sequence that was given up to `prompt` at once and generated from there on.
  public struct Sequence: Sendable {
    public var tokens: [Int]
    public var prompt: Int
    /// Positions, from 1 on, whose tokens are scored.
    public var scored: [Int]

    public init(tokens: [Int], prompt: Int, scored: [Int]) {
      precondition(scored.allSatisfy { (1..<tokens.count) ~= $0 })
      self.tokens = tokens
      self.prompt = prompt
      self.scored = scored
    }
  }

  public let forward: ForwardPass
  public let followers: [Follower]

  public init(_ forward: ForwardPass, _ followers: [Follower]) {
    self.forward = forward
    self.followers = followers
  }

  /// Positions of one sequence under one schedule.
  private struct Job {
    var sequence: Int
    var schedule: RopeSchedule
    /// The runtime whose variant of the model is run; nil for the model itself.
    var variant: String?
    var scored: [Int]
    /// Who asked for it.
    var followers: [Int]
  }

  /// Calls `each` with the number of a sequence, that of a follower, and a score for each position in order, as soon as
  /// they are known; for one sequence after another.
  public func run(_ sequences: [Sequence], each: (Int, Int, [TokenScore]) throws -> Void) throws {
    let jobs = sequences.indices.flatMap { makeJobs(sequences[$0], $0) }
    var known: [Int: [[Int: TokenScore]]] = [:]
    var finished = 0
    for batch in batches(jobs, sequences) {
      let scores = try Self.scores(batch, sequences, forward)
      for (job, found) in zip(batch, scores) {
        for follower in job.followers {
          known[job.sequence, default: Array(repeating: [:], count: followers.count)][follower].merge(found) { a, _ in a
          }
        }
      }
      while finished < sequences.count, let parts = known[finished],
        parts.allSatisfy({ $0.count == sequences[finished].scored.count })
      {
        for (follower, found) in parts.enumerated() {
          try each(finished, follower, sequences[finished].scored.compactMap { found[$0] })
        }
        known[finished] = nil
        finished += 1
      }
    }
  }

  private func makeJobs(_ sequence: Sequence, _ number: Int) -> [Job] {
    var jobs: [Job] = []
    for (index, follower) in followers.enumerated() {
      let variant = forward.model.followed(by: follower.name).isVariant ? follower.name : nil
      for pass in follower.passes(prompt: sequence.prompt, scored: sequence.scored) {
        let same = jobs.firstIndex {
          $0.schedule == pass.schedule && $0.variant == variant && $0.scored == pass.scored
        }
        if let same {
          jobs[same].followers.append(index)
        } else {
          jobs.append(
            Job(
              sequence: number, schedule: pass.schedule, variant: variant, scored: pass.scored, followers: [index]))
        }
      }
    }
    return jobs
  }

  // MARK: Batches

  /// Bytes of hidden states that a batch may take: 256 MiB, or twice the longest sequence's.
  private static let hiddenBytes = 256 << 20

  /// Jobs in their order, as many together as fit.
  private func batches(_ jobs: [Job], _ sequences: [Sequence]) -> [[Job]] {
    let longest = jobs.map { sequences[$0.sequence].tokens.count }.max() ?? 0
    let limit = max(Self.hiddenBytes / (4 * forward.model.hidden), 2 * longest)
    var batches: [[Job]] = []
    var rows = 0
    for job in jobs {
      let count = sequences[job.sequence].tokens.count
      // A short sequence does not wait for one that takes much longer: what it gives is known sooner.
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

  /// The positions that two jobs have in common.
  private static func common(_ first: Job, _ second: Job, _ sequences: [Sequence]) -> Int {
    let (a, b) = (sequences[first.sequence].tokens, sequences[second.sequence].tokens)
    let limit = min(a.count, b.count, first.schedule.commonPositions(with: second.schedule))
    if first.sequence == second.sequence { return limit }
    var count = 0
    while count < limit, a[count] == b[count] { count += 1 }
    return count
  }

  // MARK: One batch

  /// Rows of logits that are computed at a time.
  private static let scoredRows = 64

  private static func scores(
    _ jobs: [Job], _ sequences: [Sequence], _ forward: ForwardPass
  ) throws -> [[Int: TokenScore]] {
    let forward =
      jobs.first?.variant.map { forward.running(forward.model.followed(by: $0).model) } ?? forward
    let (batch, leaves) = tree(jobs, sequences)
    // The token at p is predicted from the row of position p - 1.
    var asked: [Int: [(job: Int, position: Int)]] = [:]
    for (number, job) in jobs.enumerated() {
      for position in job.scored {
        asked[batch.row(of: position - 1, in: leaves[number]), default: []].append((number, position))
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

  /// Each job continues the one before it with which it has most in common.
  /// - Returns: the batch, and each job's last segment.
  private static func tree(_ jobs: [Job], _ sequences: [Sequence]) -> (Batch, [Int]) {
    var batch = Batch()
    var leaves: [Int] = []
    for (number, job) in jobs.enumerated() {
      let tokens = sequences[job.sequence].tokens
      // What comes after the last scored token's predecessor predicts nothing.
      let needed = tokens[..<(job.scored.last ?? 0)]
      let shared = (0..<number).map { (job: $0, count: common(jobs[$0], job, sequences)) }
      let best = shared.max { $0.count < $1.count } ?? (0, 0)
      var (parent, count): (Int?, Int) = (nil, 0)
      if best.count > 0 {
        let length = batch.segments[leaves[best.job]].positions.upperBound
        (parent, count) = (leaves[best.job], min(best.count, length, needed.count))
      }
      leaves.append(batch.add(needed[count...], job.schedule, parent: count > 0 ? parent : nil, start: count))
    }
    return (batch, leaves)
  }
}
