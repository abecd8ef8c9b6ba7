/// What one run of `verify` measures: tasks over a grid of lengths, depths and samples.
public struct Campaign: Sendable {
  public enum Task: Hashable, Sendable {
    case passkey, niah, perplexity, retention, crossing
    case ruler(RULERTask)

    /// `passkey`, `niah`, `perplexity`, `retention`, `crossing`, or one of RULER's names.
    public init?(name: String) {
      switch name {
      case "passkey": self = .passkey
      case "niah": self = .niah
      case "perplexity": self = .perplexity
      case "retention": self = .retention
      case "crossing": self = .crossing
      default:
        guard let task = RULERTask(rawValue: name) else { return nil }
        self = .ruler(task)
      }
    }

    public static let names =
      ["passkey", "niah", "perplexity", "retention", "crossing"] + RULERTask.allCases.map(\.rawValue)
  }

  /// A text under its name.
  public struct Text: Sendable {
    public var name: String
    public var tokens: [Int]

    public init(name: String, tokens: [Int]) {
      self.name = name
      self.tokens = tokens
    }
  }

  /// One of several parts that a grid is divided into.
  public struct Shard: Equatable, Sendable {
    public var number: Int
    public var count: Int

    /// `2/8`: the second of eight.
    public init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let number = parts[0], let count = parts[1], 1 <= number, number <= count else {
        return nil
      }
      self.number = number
      self.count = count
    }
  }

  public var tasks: [Task] = [.passkey]
  public var lengths: [Int] = []
  public var depths: [Double] = []
  public var samples = 1
  public var seed: UInt64 = 0
  public var style = Passkey.Style.longrope
  /// Whose perplexity is measured.
  public var texts: [Text] = []
  /// What needles are hidden in.
  public var haystack = Text(name: "", tokens: [])
  /// The same for RULER, in words.
  public var essay = RULEREssay("", name: "")
  public var method = Perplexity.Method.truncate
  public var stride = 256
  public var windows = 4
  public var shard: Shard?

  public init() {}

  /// How far a run is.
  public struct Progress: Sendable {
    /// Of the work, from 0 to 1.
    public var share: Double
    /// What is being done.
    public var label: String
  }

  /// Measures everything. What an error ends early is in `measured` as far as it got.
  /// - Parameter baseline: the model to compare with, for the task `retention`.
  public func run(
    _ scoring: Scoring, baseline: Scoring?, _ tokenizer: Tokenizer, into measured: inout Measurements,
    report: (Progress) -> Void
  ) throws {
    var steps = steps(measured.originalWindow)
    if let shard { steps = steps.enumerated().filter { $0.offset % shard.count == shard.number - 1 }.map(\.element) }
    for step in steps { expect(step, scoring.followers.map(\.name), &measured) }
    let total = steps.reduce(0) { $0 + $1.cost }
    var done = 0.0
    for group in groups(steps) {
      let label = Set(group.map(\.length)).count > 1 ? group[0].task.name : group[0].label
      report(Progress(share: done / total, label: label))
      try perform(group, scoring, baseline, tokenizer, &measured) { finished in
        done += finished
        report(Progress(share: done / total, label: label))
      }
    }
    report(Progress(share: 1, label: ""))
  }

  /// What a whole run measures, whatever its shard: metrics and lengths.
  public func places(originalWindow: Int) -> Set<Measurements.Place> {
    var measured = Measurements(originalWindow: originalWindow)
    for step in steps(originalWindow) { expect(step, [""], &measured) }
    return Set(measured.missing.keys)
  }

  // MARK: Steps

  /// The smallest part that a shard gets.
  private struct Step {
    enum Work {
      case cell(Passkey.Cell)
      case text(Int)
      case whole
    }

    var task: Task
    var length: Int
    var work: Work
    var cost: Double
    var label: String
  }

  /// In the order in which they are done: deeper cells first, since the others begin alike.
  private func steps(_ originalWindow: Int) -> [Step] {
    tasks.flatMap { task -> [Step] in
      switch task {
      case .passkey, .niah, .ruler:
        return lengths.flatMap { length in
          cells(task, length).map { step(task, length, .cell($0), weight: task.weight) }
        }
      case .perplexity:
        guard let longest = lengths.max() else { return [] }
        return texts.indices.map { step(task, longest, .text($0), weight: Double(windows)) }
      case .retention:
        return lengths.filter { $0 <= originalWindow }.map { step(task, $0, .whole, weight: Double(2 * windows)) }
      case .crossing: return [step(task, originalWindow, .whole, weight: Double(2 * windows))]
      }
    }
  }

  private func step(_ task: Task, _ length: Int, _ work: Step.Work, weight: Double) -> Step {
    let cost = weight * Double(length) * (1 + Double(length) / 16384)
    return Step(task: task, length: length, work: work, cost: cost, label: "\(task.name) at \(length) tokens")
  }

  private func cells(_ task: Task, _ length: Int) -> [Passkey.Cell] {
    if case .ruler = task { return (0..<samples).map { Passkey.Cell(length: length, depth: 0, sample: $0) } }
    return depths.sorted(by: >).flatMap { depth in
      (0..<samples).map { Passkey.Cell(length: length, depth: depth, sample: $0) }
    }
  }

  /// Consecutive steps of one task and length are done together, passkeys of all lengths.
  private func groups(_ steps: [Step]) -> [[Step]] {
    var groups: [[Step]] = []
    for step in steps {
      if let last = groups.last?.first, last.task == step.task, last.length == step.length || step.task == .passkey {
        groups[groups.count - 1].append(step)
      } else {
        groups.append([step])
      }
    }
    return groups
  }

  private func expect(_ step: Step, _ runtimes: [String], _ measured: inout Measurements) {
    switch (step.task, step.work) {
    case (.perplexity, _):
      for length in lengths { measured.expect([.perplexity], runtimes, length: length) }
    case (.crossing, _): measured.expect([.crossing], runtimes, length: Crossing.length(measured.originalWindow))
    default: measured.expect(step.task.metrics, runtimes, length: step.length)
    }
  }

  // MARK: Work

  private func perform(
    _ group: [Step], _ scoring: Scoring, _ baseline: Scoring?, _ tokenizer: Tokenizer,
    _ measured: inout Measurements, done: (Double) -> Void
  ) throws {
    let share = group[0].cost / Double(max(1, scoring.followers.count))
    let cells = group.compactMap { step in if case .cell(let cell) = step.work { cell } else { nil } }
    switch group[0].task {
    case .passkey:
      let costs = Dictionary(group.map { ($0.length, $0.cost) }, uniquingKeysWith: { first, _ in first })
      try Passkey(tokenizer, style: style).run(cells, scoring, seed: seed) {
        measured.add($0)
        done((costs[$0.cell.length] ?? 0) / Double(max(1, scoring.followers.count)))
      }
    case .niah:
      let needle = try Needle(tokenizer, haystack: haystack.tokens)
      if let cell = cells.first {
        do { _ = try needle.prompt(cell, seed: seed) } catch let error as VerifyError {
          measured.skipped.append(.init(task: "niah", length: cell.length, reason: error.message))
          return
        }
      }
      try needle.run(cells, scoring, seed: seed) {
        measured.add($0, metric: .answers("niah"))
        done(share)
      }
    case .ruler(let task):
      try ask(task, cells, scoring, tokenizer, &measured) { done(share) }
    case .perplexity:
      for case .text(let number) in group.map(\.work) {
        try measurePerplexity(texts[number], scoring, tokenizer, &measured)
        done(group[0].cost)
      }
    case .retention:
      guard let baseline else { return }
      let measure = try Perplexity(
        allTokens, length: group[0].length, longest: group[0].length, method: .truncate, beginning: tokenizer.beginning,
        maximumWindows: windows)
      try Retention(measure).run(scoring, baseline: baseline) {
        measured.add($0)
        done(share)
      }
    case .crossing:
      try Crossing(
        allTokens, originalWindow: measured.originalWindow, beginning: tokenizer.beginning, maximumWindows: windows
      ).run(scoring) {
        measured.add($0)
        done(share)
      }
    }
  }

  private var allTokens: [Int] { texts.flatMap(\.tokens) }

  private func ask(
    _ task: RULERTask, _ cells: [Passkey.Cell], _ scoring: Scoring, _ tokenizer: Tokenizer,
    _ measured: inout Measurements, done: () -> Void
  ) throws {
    let run = RULERRun(tokenizer, essay: essay)
    guard let length = cells.first?.length else { return }
    let samples: [RULERSample]
    do {
      samples = try run.samples(task, length: length, count: self.samples)
    } catch let error as VerifyError {
      // A grid may begin at lengths that are too short for some tasks: they stay unmeasured.
      measured.skipped.append(.init(task: task.rawValue, length: length, reason: error.message))
      return
    }
    for cell in cells {
      // RULER leaves out a sample that does not fit.
      guard cell.sample < samples.count else {
        let reason = "only \(samples.count) of \(self.samples) samples fit"
        measured.skipped.append(.init(task: task.rawValue, length: length, reason: reason))
        return
      }
      try run.ask(task, samples[cell.sample], scoring) {
        measured.add($0, metric: .answers(task.rawValue))
        done()
      }
    }
  }

  private func measurePerplexity(
    _ text: Text, _ scoring: Scoring, _ tokenizer: Tokenizer, _ measured: inout Measurements
  ) throws {
    let measures: [Perplexity]
    do {
      measures = try lengths.map {
        try Perplexity(
          text.tokens, length: $0, longest: lengths.max() ?? $0, method: method, stride: stride,
          beginning: tokenizer.beginning, maximumWindows: windows)
      }
    } catch let error as VerifyError {
      throw VerifyError(text.name, error.message)
    }
    try Perplexity.run(measures, scoring) { measured.add($0, text: text.name) }
  }
}

extension Campaign.Task {
  public var name: String {
    switch self {
    case .passkey: "passkey"
    case .niah: "niah"
    case .perplexity: "perplexity"
    case .retention: "retention"
    case .crossing: "crossing"
    case .ruler(let task): task.rawValue
    }
  }

  /// What a cell yields.
  var metrics: [Metric] {
    switch self {
    case .passkey: [.passkey, .publishedPasskey]
    case .retention: [.perplexityRatio, .divergence, .agreement]
    default: [.answers(name)]
    }
  }

  /// The work beyond one prefill.
  fileprivate var weight: Double { if case .ruler = self { 2 } else { 1 } }
}

extension Measurements {
  mutating func add(_ result: Passkey.Result) {
    passkeys.append(result)
    let metrics: [Metric] = result.isPublished == nil ? [.passkey] : [.passkey, .publishedPasskey]
    note(metrics, result.runtime, length: result.cell.length)
  }

  mutating func add(_ result: AnswerResult, metric: Metric) {
    answers.append(result)
    note([metric], result.runtime, length: result.cell.length)
  }

  mutating func add(_ result: Perplexity.Result, text: String) {
    perplexities.append(NamedPerplexity(text: text, result: result))
    note([.perplexity], result.runtime, length: result.length)
  }

  mutating func add(_ result: Retention.Result) {
    retentions.append(result)
    note([.perplexityRatio, .divergence, .agreement], result.runtime, length: result.length)
  }

  mutating func add(_ result: Crossing.Result) {
    crossings.append(result)
    note([.crossing], result.runtime, length: result.length)
  }
}
