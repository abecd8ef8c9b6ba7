/// Results as they come. Each is no longer missing once it is added.
extension Measurements {
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

  /// Notes a task that cannot be done at a length, which stays missing.
  mutating func skip(_ task: String, at length: Int, _ reason: String) {
    skipped.append(Skipped(task: task, length: length, reason: reason))
  }
}
