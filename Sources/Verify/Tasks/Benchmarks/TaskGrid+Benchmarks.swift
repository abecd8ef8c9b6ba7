import Formats
import Models

/// Benchmarks in a grid, and other tasks whose questions come from files.
///
/// Benchmarks have no length of their own. In results and gates they stand at the original window.
extension TaskGrid {
  /// The questions of one step, the smallest part that a shard gets.
  private static let stepQuestions = 32

  /// Reads the files of the tasks that need one.
  /// - Parameter window: the most tokens of a benchmark's prompt.
  /// - Throws: `OptionError` for a task without its file, or a file without its task; `ModelError` for
  ///   a window that is too short, or a file of another form; `FileError`; `FormatError`.
  mutating func addFiles(_ options: VerifyOptions, window: Int) throws {
    try addBenchmarks(options, window: window)
    try addQuestionFiles(options)
    let names = tasks.filter(\.needsFile).map(\.name)
    if let unused = options.benchmarks.keys.sorted().first(where: { !names.contains($0) }) {
      throw OptionError(
        "a file for \(unused) is given, which is not measured; add --task \(unused)")
    }
  }

  private mutating func addBenchmarks(_ options: VerifyOptions, window: Int) throws {
    benchmarkWindow = window
    hasBaseline = options.baseline != nil
    for case .benchmark(let benchmark) in tasks {
      let form = "in JSON lines as in \(benchmark.rows)"
      let source = try source(of: benchmark.name, options, form: form)
      let data = try BenchmarkData(benchmark, source, limit: options.samples)
      if case .open? = data.items.first?.question.form, window <= SolutionNumber.mostTokens {
        let whose = hasBaseline ? "the shorter window of model and baseline" : "the model's window"
        throw ModelError.unsupported(
          benchmark.name,
          "generates \(SolutionNumber.mostTokens) tokens, for which \(whose), \(window) tokens, has no room"
        )
      }
      benchmarks.append(data)
    }
  }

  private mutating func addQuestionFiles(_ options: VerifyOptions) throws {
    for case .ruler(let task) in tasks where task.needsFile {
      let form =
        task == .squad ? "SQuAD's dev-v2.0.json" : "HotpotQA's hotpot_dev_distractor_v1.json"
      let source = try source(of: task.rawValue, options, form: form)
      try OptionError.require(
        source.examples == nil && source.shots == nil, "\(task.rawValue) takes no --few-shot")
      questionFiles[task] = try QuestionFile(source.data, for: task)
    }
    if tasks.contains(.rag) {
      let source = try source(
        of: Task.rag.name, options,
        form: "SQuAD's dev-v2.0.json or HotpotQA's hotpot_dev_distractor_v1.json")
      passages = try RAGData(source, seed: seed)
    }
  }

  private func source(
    of task: String, _ options: VerifyOptions, form: String
  ) throws -> BenchmarkSource {
    guard let source = options.benchmarks[task] else {
      throw OptionError("--task \(task) needs its questions: --data \(task)=FILE, \(form)")
    }
    return source
  }

  /// The steps of one benchmark, a few questions each.
  func steps(_ benchmark: Benchmark, _ originalWindow: Int) -> [Step] {
    guard let data = benchmarks.first(where: { $0.benchmark == benchmark }) else { return [] }
    return Swift.stride(from: 0, to: data.items.count, by: Self.stepQuestions).map { start in
      let range = start..<min(start + Self.stepQuestions, data.items.count)
      return Step(
        task: .benchmark(benchmark), length: originalWindow, subject: .questions(range),
        cost: Double(prefills(benchmark, range).reduce(0, +)), label: benchmark.name)
    }
  }

  /// About how many tokens are computed for each of some questions.
  func prefills(_ benchmark: Benchmark, _ range: Range<Int>) -> [Int] {
    guard let data = benchmarks.first(where: { $0.benchmark == benchmark }) else { return [] }
    return data.items[range].map { min(data.estimatedTokens($0), benchmarkWindow) }
  }
}
