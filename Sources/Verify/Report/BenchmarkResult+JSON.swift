import Formats

/// Answers to benchmarks as members of a saved result.
///
/// Runtimes with equal answers share one entry: within the original window most of them compute the
/// same.
extension BenchmarkResult {
  /// One entry for each group of equal results.
  static func json(_ results: [BenchmarkResult]) -> [JSONValue] {
    var groups: [(result: BenchmarkResult, runtimes: [String])] = []
    for result in results {
      if let index = groups.firstIndex(where: { $0.result.answersEqual(result) }) {
        groups[index].runtimes.append(result.runtime)
      } else {
        groups.append((result, [result.runtime]))
      }
    }
    return groups.map { $0.result.json(runtimes: $0.runtimes) }
  }

  private func answersEqual(_ other: BenchmarkResult) -> Bool {
    var other = other
    other.runtime = runtime
    return self == other
  }

  private func json(runtimes: [String]) -> JSONValue {
    .object([
      "task": .string(benchmark.name), "runtimes": .array(runtimes.map { .string($0) }),
      "few_shot": .number(shots), "prompts_sha256": .string(promptDigest),
      "scores": .array(benchmark.scores.indices.map(scoreJSON)),
      "documents": .array(documents.map { $0.json(benchmark) }),
    ])
  }

  private func scoreJSON(_ index: Int) -> JSONValue {
    let retained = RetainedShare([self], score: index)
    return .object([
      "name": .string(benchmark.scores[index].rawValue),
      "mean": mean(index).map { .number($0) } ?? .null,
      "standard_error": .number(standardError(index)),
      "baseline": baselineMean(index).map { .number($0) } ?? .null,
      "retained": retained.map { .number($0.share) } ?? .null,
      "retained_interval": retained.map {
        .numbers([$0.interval.lowerBound, $0.interval.upperBound])
      } ?? .null,
      "mcnemar_p": mcNemar(index).map { .number($0) } ?? .null,
    ])
  }

  /// Reads one entry.
  static func read(_ reader: ResultReader) throws -> [BenchmarkResult] {
    guard let benchmark = Benchmark.named(try reader.name("task")) else {
      throw reader.wrong("task", Benchmark.names.alternatives)
    }
    let documents = try reader.list("documents") { try Document($0, benchmark) }
    return try reader.texts("runtimes").map { runtime in
      BenchmarkResult(
        benchmark: benchmark, runtime: runtime.sanitized, shots: try reader.count("few_shot"),
        promptDigest: try reader.name("prompts_sha256"), documents: documents)
    }
  }
}

extension BenchmarkResult.Document {
  fileprivate func json(_ benchmark: Benchmark) -> JSONValue {
    .object([
      "document": .number(number), "target": .string(target), "cut": .bool(isCut),
      "answer": answer.json(benchmark),
      "baseline": baseline.map { $0.json(benchmark) } ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader, _ benchmark: Benchmark) throws {
    number = try reader.count("document")
    target = try reader.name("target")
    isCut = try reader.flag("cut")
    answer = try BenchmarkResult.Answer(reader.inside("answer"), benchmark)
    let hasBaseline = try !reader.value("baseline").isNull
    baseline =
      hasBaseline ? try BenchmarkResult.Answer(reader.inside("baseline"), benchmark) : nil
  }
}

extension BenchmarkResult.Answer {
  fileprivate func json(_ benchmark: Benchmark) -> JSONValue {
    let scores = zip(benchmark.scores, scores).map { JSONMember($0.rawValue, .number($1)) }
    return .object([
      "given": .string(given), "scores": .object(scores),
      "log_likelihoods": .numbers(logLikelihoods), "output": output.map { .string($0) } ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader, _ benchmark: Benchmark) throws {
    given = try reader.name("given")
    let scores = try reader.inside("scores")
    self.scores = try benchmark.scores.map { score in
      let value = try scores.number(score.rawValue)
      guard (0...1).contains(value) else { throw scores.wrong(score.rawValue, "0 to 1") }
      return value
    }
    guard let logLikelihoods = try reader.value("log_likelihoods").doubles else {
      throw reader.wrong("log_likelihoods", "a list of numbers")
    }
    self.logLikelihoods = logLikelihoods
    output = try reader.optionalText("output")
  }
}
