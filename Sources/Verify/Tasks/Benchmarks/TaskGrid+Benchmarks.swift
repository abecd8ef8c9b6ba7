import Formats
import Models

/// Benchmarks in a grid.
///
/// They have no length of their own. In results and gates they stand at the original window.
extension TaskGrid {
  /// The questions of one step, the smallest part that a shard gets.
  private static let stepQuestions = 32

  /// Reads the questions of the benchmarks among the tasks.
  /// - Parameter window: the most tokens of a prompt.
  /// - Throws: `OptionError` for a benchmark without a file, or a file without its benchmark;
  ///   `ModelError` for a window that is too short; what `BenchmarkData` throws.
  mutating func addBenchmarks(_ options: VerifyOptions, window: Int) throws {
    benchmarkWindow = window
    hasBaseline = options.baseline != nil
    for case .benchmark(let benchmark) in tasks {
      guard let source = options.benchmarks[benchmark.name] else {
        throw OptionError(
          """
          --task \(benchmark.name) needs its questions: --data \(benchmark.name)=FILE, in JSON lines \
          as in \(benchmark.rows)
          """)
      }
      let data = try BenchmarkData(benchmark, source, limit: options.samples)
      if case .open? = data.items.first?.question.form, window <= SolutionNumber.mostTokens {
        throw ModelError.unsupported(
          options.model,
          """
          \(benchmark.name) generates \(SolutionNumber.mostTokens) tokens, for which a window of \
          \(window) tokens has no room
          """)
      }
      benchmarks.append(data)
    }
    let names = benchmarks.map(\.benchmark.name)
    if let unused = options.benchmarks.keys.sorted().first(where: { !names.contains($0) }) {
      throw OptionError(
        "a file for \(unused) is given, which is not measured; add --task \(unused)")
    }
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
