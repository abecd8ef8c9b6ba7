import Inference
import Models
import Numerics

/// How long a verification takes and how much memory it needs, estimated before it begins.
public struct VerifyEstimate: Sendable {
  /// The sequences that are read, with each common beginning counted once.
  public let passes: Int
  /// The tokens of all passes.
  public let tokens: Int
  /// The tokens of the longest pass.
  public let longest: Int
  /// The time of the passes with this run's threads; answers that are generated take more.
  public let time: Duration
  /// The least memory beyond the mapped weights, in bytes.
  public let memory: Int
  /// The threads of this run.
  public let threads: Int
  private let isExact: Bool
  private let model: Transformer

  /// Runs shorter than this are not announced.
  private static let least = Duration.seconds(60)
  /// Exact runs longer than this are advised to be fast.
  private static let patience = Duration.seconds(30 * 60)
  /// Grids with fewer multiplications than this take seconds on any machine.
  private static let fewMultiplications = 1e11

  init(_ setup: borrowing VerifySetup) throws {
    let (scoring, lengths) = (setup.scoring, setup.prefills)
    longest = lengths.max() ?? 0
    passes = lengths.count
    tokens = lengths.reduce(0, +)
    model = scoring.forward.model
    threads = scoring.forward.threads
    isExact = setup.options.precision == .exact
    memory = setup.memory(tokens: longest)
    if let policy = scoring.policies.first {
      time = try scoring.forward.estimatedTime(
        lengths: lengths, policy.schedule(prompt: longest, count: longest))
    } else {
      time = .zero
    }
  }

  /// The time on a machine with more of the same cores, if its memory is as much faster.
  ///
  /// Products and attention divide into tasks, which may leave some of many threads idle at the
  /// end; that is taken into account.
  public func time(threads other: Int) -> Duration {
    let own = Double(threads) * model.efficiency(tokens: longest, threads: threads)
    return time * (own / (Double(other) * model.efficiency(tokens: longest, threads: other)))
  }

  /// A note for the user; nil for a short run.
  func remark(times count: Int = 1) -> String? {
    let time = time * count
    guard time >= Self.least else { return nil }
    let isSlow = isExact && time >= Self.patience
    let advice = isSlow ? "; --precision fast takes about half as long" : ""
    return
      "this takes about \(time.words) and \(memory.memoryText) of memory besides the weights\(advice)"
  }

  /// - Returns: nil for a grid that takes seconds.
  static func ofLongRun(_ setup: borrowing VerifySetup) throws -> VerifyEstimate? {
    let model = setup.scoring.forward.model
    let work = setup.prefills.reduce(0) { $0 + model.multiplications(tokens: $1) }
    return work > fewMultiplications ? try VerifyEstimate(setup) : nil
  }
}

extension VerifySetup {
  /// The lengths of all passes, one for each schedule of positions that a runtime needs.
  fileprivate var prefills: [Int] {
    grid.prefills(originalWindow).flatMap { length in
      let schedules = Set(scoring.policies.map { $0.schedule(prompt: length, count: length) })
      return Array(repeating: length, count: schedules.count)
    }
  }
}

extension TaskGrid {
  /// The lengths of this part's prefills, with each common beginning counted once.
  fileprivate func prefills(_ originalWindow: Int) -> [Int] {
    ownSteps(originalWindow).flatMap { step -> [Int] in
      switch step.subject {
      case .cell(let cell):
        // The prompts of one length begin alike up to their needles.
        let isFirst = cell.depth == depths.max()
        return [isFirst ? step.length : Int(Double(step.length) * (1 - cell.depth))]
      case .text, .whole:
        let count = max(1, Int(step.cost / Double(step.length) / (1 + Double(step.length) / 16384)))
        return Array(repeating: step.length, count: count)
      case .questions(let range):
        if case .benchmark(let benchmark) = step.task { return prefills(benchmark, range) }
        return []
      }
    }
  }
}
