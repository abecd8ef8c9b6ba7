import Verify

/// Whether one runtime found what stands at some depth of a prompt.
struct DepthResult {
  let runtime: String
  let length: Int
  let depth: Double
  /// From 0 to 1.
  let score: Double
  /// How far a passkey was from being the likeliest answer, in nats; nil for other tasks.
  var margin: Double?

  /// What is equal for runtimes that share a picture.
  var outcome: [Double] { [Double(length), depth, score] }
}

/// The results of one task by depth.
struct DepthResults {
  let task: TaskGrid.Task
  let all: [DepthResult]

  /// What is looked for, in words.
  var title: String {
    switch task {
    case .passkey: "passkeys"
    case .niah: "needles of niah"
    default: "answers of \(task.name)"
    }
  }

  var depths: [Double] { Set(all.map(\.depth)).sorted() }
}

extension Measurements {
  /// The results of each task that asks for something at several depths; none for tasks that were
  /// not run.
  var resultsByDepth: [DepthResults] {
    TaskGrid.Task.all.filter(\.hasDepths).map { DepthResults(task: $0, all: results(of: $0)) }
      .filter { !$0.all.isEmpty }
  }

  private func results(of task: TaskGrid.Task) -> [DepthResult] {
    if task == .passkey { return passkeys.map(DepthResult.init) }
    return answers.filter { $0.task == task.name }.map {
      DepthResult(
        runtime: $0.runtime, length: $0.cell.length, depth: $0.cell.depth, score: $0.score)
    }
  }
}

extension DepthResult {
  fileprivate init(_ result: Passkey.Result) {
    self.init(
      runtime: result.runtime, length: result.cell.length, depth: result.cell.depth,
      score: result.isExact ? 1 : 0, margin: result.margin)
  }
}

extension [DepthResult] {
  /// The mean score; nil without results.
  var share: Double? {
    isEmpty ? nil : reduce(0) { $0 + $1.score } / Double(count)
  }
}
