extension TaskGrid {
  /// The smallest piece of work that a shard gets.
  struct Step {
    enum Subject {
      case cell(Passkey.Cell)
      /// The index of a text.
      case text(Int)
      /// All texts.
      case whole
      /// The indices of questions of a benchmark.
      case questions(Range<Int>)
    }

    var task: Task
    var length: Int
    var subject: Subject
    /// Relative to other steps.
    var cost: Double
    var label: String
  }

  /// In the order in which they are done.
  ///
  /// Deeper cells come first, because the others begin alike.
  func steps(_ originalWindow: Int) -> [Step] {
    tasks.flatMap { task -> [Step] in
      switch task {
      case .passkey, .niah, .rag, .ruler:
        return lengths.flatMap { length in
          cells(task, length).map { step(task, length, .cell($0), weight: task.weight) }
        }
      case .perplexity:
        guard let longest = lengths.max() else { return [] }
        return texts.indices.map {
          step(task, longest, .text($0), weight: windowCount(longest))
        }
      case .retention:
        return lengths.filter { comparesEverywhere || $0 <= originalWindow }.map {
          step(task, $0, .whole, weight: 2 * windowCount($0))
        }
      case .crossing:
        let texts = windows ?? WindowCrossing.defaultTexts
        return [step(task, originalWindow, .whole, weight: Double(2 * texts))]
      case .benchmark(let benchmark): return steps(benchmark, originalWindow)
      }
    }
  }

  /// Lengths of up to this many tokens take so little time that their prompts are repeated.
  public static let smallLength = 2048
  private static let samplesOfSmallLengths = 3

  /// The number of a task's prompts at a length, for each depth if it has depths.
  func sampleCount(_ task: Task, _ length: Int) -> Int {
    if case .ruler = task, let prompts { return prompts }
    return samples ?? (length <= Self.smallLength ? Self.samplesOfSmallLengths : 1)
  }

  private func windowCount(_ length: Int) -> Double {
    Double(windows ?? Perplexity.windows(length: length, method))
  }

  private func step(
    _ task: Task, _ length: Int, _ subject: Step.Subject, weight: Double
  ) -> Step {
    let cost = weight * Double(length) * (1 + Double(length) / 16384)
    return Step(
      task: task, length: length, subject: subject, cost: cost,
      label: "\(task.name) at \(length) tokens")
  }

  private func cells(_ task: Task, _ length: Int) -> [Passkey.Cell] {
    let count = sampleCount(task, length)
    if case .ruler = task {
      return (0..<count).map { Passkey.Cell(length: length, depth: 0, sample: $0) }
    }
    if task == .rag {
      // The prompts of one question begin alike.
      return (0..<count).flatMap { sample in
        depths.sorted(by: >).map { Passkey.Cell(length: length, depth: $0, sample: sample) }
      }
    }
    return depths.sorted(by: >).flatMap { depth in
      (0..<count).map { Passkey.Cell(length: length, depth: depth, sample: $0) }
    }
  }

  /// Consecutive steps of one task and length are done together, and passkeys of all lengths.
  static func groups(_ steps: [Step]) -> [[Step]] {
    var groups: [[Step]] = []
    for step in steps {
      if let last = groups.last?.first, last.task == step.task,
        last.length == step.length || step.task == .passkey
      {
        groups[groups.count - 1].append(step)
      } else {
        groups.append([step])
      }
    }
    return groups
  }

  /// Notes what a step will measure as missing.
  func expect(_ step: Step, _ runtimes: [String], _ measured: inout Measurements) {
    switch step.task {
    case .perplexity:
      for length in lengths { measured.expect([.perplexity], runtimes, length: length) }
    case .crossing:
      let length = WindowCrossing.length(measured.originalWindow)
      measured.expect([.crossing], runtimes, length: length)
    case .benchmark(let benchmark):
      guard case .questions(let range) = step.subject else { return }
      let metrics = Metric.of(benchmark, withBaseline: hasBaseline)
      measured.expect(metrics, runtimes, length: step.length, count: range.count)
    default: measured.expect(step.task.metrics, runtimes, length: step.length)
    }
  }
}
