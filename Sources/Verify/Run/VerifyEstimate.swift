import Inference
import Models

/// How long a verification takes and how much memory it needs, estimated before it begins.
struct VerifyEstimate {
  /// The time of the prefills; answers that are generated take more.
  let time: Duration
  /// The least memory beyond the mapped weights, in bytes.
  let memory: Int
  private let isExact: Bool

  /// Runs shorter than this are not announced.
  private static let least = Duration.seconds(60)
  /// Exact runs longer than this are advised to be fast.
  private static let patience = Duration.seconds(30 * 60)
  /// Grids with fewer multiplications than this take seconds on any machine.
  private static let fewMultiplications = 1e11

  /// - Returns: nil for a grid that takes seconds.
  init?(_ grid: TaskGrid, _ scoring: Scoring, originalWindow: Int, isExact: Bool) throws {
    let lengths = grid.prefills(originalWindow)
    let schedules = { (length: Int) in
      Set(scoring.policies.map { $0.schedule(prompt: length, count: length) }).count
    }
    let all = lengths.flatMap { Array(repeating: $0, count: schedules($0)) }
    let model = scoring.forward.model
    let work = all.reduce(0) { $0 + model.multiplications(tokens: $1) }
    guard work > Self.fewMultiplications, let longest = all.max(),
      let policy = scoring.policies.first
    else { return nil }
    time = try scoring.forward.estimatedTime(
      lengths: all, policy.schedule(prompt: longest, count: longest))
    memory = scoring.forward.memory(tokens: longest)
    self.isExact = isExact
  }

  /// A note for the user; nil for a short run.
  var remark: String? { remark(times: 1) }

  /// A note about several runs like this; nil if they are short.
  func remark(times count: Int) -> String? {
    let time = time * count
    guard time >= Self.least else { return nil }
    let mebibytes = memory >> 20
    let size =
      mebibytes < 2048 ? "\(mebibytes) MiB" : "\(Double(mebibytes * 10 / 1024) / 10) GiB"
    let advice =
      isExact && time >= Self.patience ? "; --precision fast takes about half as long" : ""
    return "this takes about \(time.words) and \(size) of memory beside the weights\(advice)"
  }
}

extension TaskGrid {
  /// The lengths of all prefills, with each common beginning counted once.
  fileprivate func prefills(_ originalWindow: Int) -> [Int] {
    steps(originalWindow).flatMap { step -> [Int] in
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
