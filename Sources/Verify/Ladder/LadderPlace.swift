import Formats

/// What was measured of a rung at one length, and the limits that it misses there.
public struct LadderPlace: Equatable, Sendable {
  /// The mean score of a task.
  public struct Score: Equatable, Sendable {
    /// The name of the task.
    public var task: String
    /// From 0 to 1.
    public var share: Double
    /// The number of prompts.
    public var prompts: Int
  }

  /// A limit that is missed.
  public struct Failure: Equatable, Sendable {
    /// What is limited.
    public var metric: Metric
    /// What was measured; nil if nothing was.
    public var value: Double?
    /// The limit.
    public var limit: Double
  }

  /// The length, in tokens.
  public var length: Int
  /// The comparison of the rung with the first one; nil if it was not compared.
  public var retention: Retention.Result?
  /// The passkeys found and tried; nil if none were tried.
  public var passkeys: ShareInterval?
  /// Passkeys that the first rung finds and this one does not.
  public var lostPasskeys: Int
  /// The scores of the tasks, in their order.
  public var scores: [Score]
  /// The limits that are missed.
  public var failures: [Failure]
}

extension LadderDocument {
  /// What was measured of a rung, by length in ascending order.
  public func places(of rung: ResultDocument) -> [LadderPlace] {
    rung.measured.lengths.map { place(of: rung.measured, at: $0) }
  }

  private func place(of measured: Measurements, at length: Int) -> LadderPlace {
    let runtime = measured.runtimes.first ?? ""
    func value(_ metric: Metric) -> Double? {
      measured.value(.init(metric: metric, runtime: runtime, length: length))
    }
    let tasks = measured.answers.map(\.task).uniqued
    let first = rungs[0].measured
    return LadderPlace(
      length: length, retention: measured.retentions.first { $0.length == length },
      passkeys: measured.trials(at: .init(metric: .passkey, runtime: runtime, length: length)),
      lostPasskeys: first.passkeys.count { found in
        found.isExact && measured.passkeys.contains { $0.cell == found.cell && !$0.isExact }
          && found.cell.length == length
      },
      scores: tasks.compactMap { task in
        value(.answers(task)).map { share in
          LadderPlace.Score(
            task: task, share: share,
            prompts: measured.answers.count { $0.task == task && $0.cell.length == length })
        }
      },
      failures: missedGates(value, at: length, first.originalWindow)
        + lost([.passkey] + tasks.map { .answers($0) }, value, at: length))
  }

  private func missedGates(
    _ value: (Metric) -> Double?, at length: Int, _ originalWindow: Int
  ) -> [LadderPlace.Failure] {
    gates.filter { $0.covers(length: length, originalWindow: originalWindow) }.compactMap { gate in
      let value = value(gate.metric)
      if let value, gate.holds(value) { return nil }
      return LadderPlace.Failure(metric: gate.metric, value: value, limit: gate.limit)
    }
  }

  /// Quantities of which the rung reaches less than its share of the first rung's.
  private func lost(
    _ metrics: [Metric], _ value: (Metric) -> Double?, at length: Int
  ) -> [LadderPlace.Failure] {
    let first = rungs[0].measured
    return metrics.compactMap { metric in
      let whole = first.value(
        .init(metric: metric, runtime: first.runtimes.first ?? "", length: length))
      // The first rung has not measured what does not fit a length.
      guard let whole else { return nil }
      let own = value(metric)
      // Shares are sums of fractions.
      if let own, own >= keep * whole - 1e-9 { return nil }
      return LadderPlace.Failure(metric: metric, value: own, limit: keep * whole)
    }
  }
}
