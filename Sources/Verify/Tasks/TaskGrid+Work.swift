import Formats
import Inference
import Models

extension TaskGrid {
  /// A grid with what it needs to be measured.
  struct Work {
    let grid: TaskGrid
    let scoring: Scoring
    let baseline: Scoring?
    let tokenizer: Tokenizer

    private var allTokens: [Int] { grid.texts.flatMap(\.tokens) }

    /// Measures steps of one task.
    /// - Parameter done: called with the cost of each piece that is finished.
    func perform(
      _ group: [Step], _ measured: inout Measurements, done: (Double) -> Void
    ) throws {
      let first = group[0]
      let share = first.cost / Double(max(1, scoring.policies.count))
      let cells = group.compactMap { step in
        if case .cell(let cell) = step.subject { cell } else { nil }
      }
      switch first.task {
      case .passkey: try findPasskeys(group, cells, &measured, done)
      case .niah: try findNeedles(cells, &measured) { done(share) }
      case .rag: try askAboutPassages(cells, &measured) { done(share) }
      case .ruler(let task): try ask(task, cells, &measured) { done(share) }
      case .perplexity:
        for case .text(let number) in group.map(\.subject) {
          try measurePerplexity(grid.texts[number], &measured)
          done(first.cost)
        }
      case .retention: try compare(first.length, &measured) { done(share) }
      case .crossing: try cross(&measured) { done(share) }
      case .benchmark(let benchmark): try answer(benchmark, group, &measured, done)
      }
    }

    // MARK: Prompts

    private func findPasskeys(
      _ group: [Step], _ cells: [Passkey.Cell], _ measured: inout Measurements,
      _ done: (Double) -> Void
    ) throws {
      let costs = Dictionary(group.map { ($0.length, $0.cost) }) { first, _ in first }
      let runtimes = Double(max(1, scoring.policies.count))
      try Passkey(tokenizer, style: grid.style).run(cells, scoring, seed: grid.seed) {
        measured.add($0)
        done((costs[$0.cell.length] ?? 0) / runtimes)
      }
      guard grid.comparesEverywhere, grid.baselineStates == nil, let baseline else { return }
      let names = scoring.policies.map(\.name)
      let common = Scoring(baseline.forward, baseline.policies.filter { names.contains($0.name) })
      try Passkey(tokenizer, style: grid.style).run(cells, common, seed: grid.seed) {
        measured.baselinePasskeys.append($0)
      }
    }

    /// The parts of a window in which a model is compared by itself.
    private static let comparedParts = 8

    private func findNeedles(
      _ cells: [Passkey.Cell], _ measured: inout Measurements, _ done: () -> Void
    ) throws {
      guard let cell = cells.first else { return }
      let needle = try Needle(tokenizer, haystack: grid.haystack.tokens)
      do { _ = try needle.prompt(cell, seed: grid.seed) } catch let error as ModelError {
        measured.skip("niah", at: cell.length, error.message)
        return
      }
      try needle.run(cells, scoring, seed: grid.seed) {
        measured.add($0, metric: .answers("niah"))
        done()
      }
    }

    private func askAboutPassages(
      _ cells: [Passkey.Cell], _ measured: inout Measurements, _ done: () -> Void
    ) throws {
      guard let cell = cells.first, let data = grid.passages else { return }
      let run = RAGRun(data: data, tokenizer: tokenizer)
      var reasons: [String] = []
      let prompts = run.prompts(cells) { reasons.append($0) }
      for reason in reasons.uniqued {
        measured.skip(TaskGrid.Task.rag.name, at: cell.length, reason)
      }
      try run.ask(prompts, scoring) {
        measured.add($0, metric: .answers(TaskGrid.Task.rag.name))
        done()
      }
    }

    private func ask(
      _ task: RULERTask, _ cells: [Passkey.Cell], _ measured: inout Measurements,
      _ done: () -> Void
    ) throws {
      guard let length = cells.first?.length else { return }
      let run = RULERRun(tokenizer, essay: grid.essay, questions: grid.questionFiles)
      let count = grid.sampleCount(.ruler(task), length)
      let samples: [RULERSample]
      do {
        samples = try run.samples(task, length: length, count: count)
      } catch let error as ModelError {
        // A grid may begin at lengths that are too short for some tasks: they stay unmeasured.
        measured.skip(task.rawValue, at: length, error.message)
        return
      }
      for cell in cells {
        // RULER leaves out a sample that does not fit.
        guard cell.sample < samples.count else {
          let reason = "only \(samples.count) of \(count) samples fit"
          return measured.skip(task.rawValue, at: length, reason)
        }
        try run.ask(task, samples[cell.sample], scoring) {
          measured.add($0, metric: .answers(task.rawValue))
          done()
        }
      }
    }

    private func answer(
      _ benchmark: Benchmark, _ group: [Step], _ measured: inout Measurements,
      _ done: (Double) -> Void
    ) throws {
      guard let data = grid.benchmarks.first(where: { $0.benchmark == benchmark }) else { return }
      let items = group.flatMap { step -> [BenchmarkData.Item] in
        if case .questions(let range) = step.subject { Array(data.items[range]) } else { [] }
      }
      let run = BenchmarkRun(
        data: data, tokenizer: tokenizer, window: grid.benchmarkWindow,
        models: BenchmarkModels(scoring, baseline: baseline))
      let cost = group.reduce(0) { $0 + $1.cost } / Double(items.count * scoring.policies.count)
      try run.ask(items) { policy, document in
        measured.add(document, of: data, runtime: scoring.policies[policy].name)
        done(cost)
      }
    }

    // MARK: Texts

    private func measurePerplexity(_ text: Text, _ measured: inout Measurements) throws {
      let measures: [Perplexity]
      do {
        measures = try grid.lengths.map { length in
          try Perplexity(
            text.tokens, length: length, method: grid.method, stride: grid.stride,
            beginning: tokenizer.beginning, maximumWindows: grid.windows)
        }
      } catch let error as ModelError {
        throw ModelError.unsupported(text.name, error.message)
      }
      try Perplexity.run(measures, scoring) { measured.add($0, text: text.name) }
    }

    private func compare(
      _ length: Int, _ measured: inout Measurements, _ done: () -> Void
    ) throws {
      guard let baseline else { return }
      let measure = try Perplexity(
        allTokens, length: length, method: .truncate, beginning: tokenizer.beginning,
        maximumWindows: grid.windows)
      let parts = grid.comparesEverywhere ? Self.comparedParts : 1
      let retention = Retention(measure, parts: parts)
      try retention.run(scoring, baseline: baseline, kept: grid.baselineStates) {
        measured.add($0)
        done()
      }
    }

    private func cross(_ measured: inout Measurements, _ done: () -> Void) throws {
      let crossing = try WindowCrossing(
        allTokens, originalWindow: measured.originalWindow, beginning: tokenizer.beginning,
        maximumWindows: grid.windows ?? WindowCrossing.defaultTexts)
      try crossing.run(scoring) {
        measured.add($0)
        done()
      }
    }
  }
}
