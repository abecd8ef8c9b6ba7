/// Adding results as they are measured.
///
/// A planned result counts as missing until it is added.
extension Measurements {
  /// Notes results that are planned, and missing until they are added.
  /// - Parameters:
  ///   - metrics: the metrics of one result.
  ///   - runtimes: the names of the runtimes.
  ///   - length: the length in tokens.
  ///   - count: the number of results for each metric and runtime.
  public mutating func expect(
    _ metrics: [Metric], _ runtimes: [String], length: Int, count: Int = 1
  ) {
    for metric in metrics {
      for runtime in runtimes {
        missing[Place(metric: metric, runtime: runtime, length: length), default: 0] += count
      }
    }
  }

  private mutating func note(_ metrics: [Metric], _ runtime: String, length: Int) {
    for metric in metrics {
      let place = Place(metric: metric, runtime: runtime, length: length)
      if let count = missing[place] { missing[place] = count > 1 ? count - 1 : nil }
    }
  }

  mutating func add(_ result: Passkey.Result) {
    passkeys.append(result)
    let metrics: [Metric] =
      result.isPublished == nil ? [.passkey] : [.passkey, .publishedPasskey]
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
    note(TaskGrid.Task.retention.metrics, result.runtime, length: result.length)
  }

  mutating func add(_ result: WindowCrossing.Result) {
    crossings.append(result)
    note([.crossing], result.runtime, length: result.length)
  }

  mutating func add(
    _ document: BenchmarkResult.Document, of data: BenchmarkData, runtime: String
  ) {
    let known = benchmarks.firstIndex { $0.benchmark == data.benchmark && $0.runtime == runtime }
    if known == nil {
      benchmarks.append(BenchmarkResult(data, runtime: runtime))
    }
    benchmarks[known ?? benchmarks.count - 1].documents.append(document)
    let metrics = Metric.of(data.benchmark, withBaseline: document.baseline != nil)
    note(metrics, runtime, length: originalWindow)
  }

  /// Notes a task that cannot be done at a length, which stays missing.
  mutating func skip(_ task: String, at length: Int, _ reason: String) {
    skipped.append(Skipped(task: task, length: length, reason: reason))
  }
}
