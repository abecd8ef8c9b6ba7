/// What one runtime answered to the questions of a benchmark.
public struct BenchmarkResult: Equatable, Sendable {
  /// The answer to one question.
  public struct Answer: Equatable, Sendable {
    /// The index of the choice from 0 by the benchmark's metric, or the number that was found in the
    /// output.
    public var given: String
    /// 0 or 1 for each of the benchmark's scores, in their order.
    public var scores: [Double]
    /// The log-likelihood of each choice; empty if the answer was generated.
    public var logLikelihoods: [Double] = []
    /// What was generated; nil for a question with choices.
    public var output: String?
  }

  /// One question with the model's answer and the baseline's.
  public struct Document: Equatable, Sendable {
    /// The number of the row in its file, from 0.
    public var number: Int
    /// The index of the right choice from 0, or the right number.
    public var target: String
    /// The model's answer.
    public var answer: Answer
    /// The baseline's answer; nil without a baseline.
    public var baseline: Answer?
    /// Whether the prompt exceeded the window and lost its beginning.
    public var isCut = false
  }

  /// The benchmark.
  public var benchmark: Benchmark
  /// The name of the runtime.
  public var runtime: String
  /// The number of examples before each question.
  public var shots: Int
  /// The SHA-256 of the prompts of all questions of the run.
  ///
  /// Results with other digests are of other questions.
  public var promptDigest: String
  /// The questions, in the order in which they were asked.
  public var documents: [Document] = []

  /// The mean of one score, by its index in the benchmark; nil without questions.
  public func mean(_ score: Int = 0) -> Double? {
    Self.mean(documents.map { $0.answer.scores[score] })
  }

  /// The mean of one score of the baseline; nil if it did not answer all questions.
  public func baselineMean(_ score: Int = 0) -> Double? {
    let known = documents.compactMap { $0.baseline?.scores[score] }
    return known.count == documents.count ? Self.mean(known) : nil
  }

  /// The standard error of the mean, as lm-eval computes it: that of a sample; 0 for one question.
  public func standardError(_ score: Int = 0) -> Double {
    let count = Double(documents.count)
    guard count > 1, let mean = mean(score) else { return 0 }
    let squares = documents.reduce(0) { sum, document in
      let difference = document.answer.scores[score] - mean
      return sum + difference * difference
    }
    return (squares / (count - 1) / count).squareRoot()
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

extension BenchmarkResult {
  /// A result without answers.
  init(_ data: BenchmarkData, runtime: String) {
    benchmark = data.benchmark
    self.runtime = runtime
    shots = data.shots
    promptDigest = data.digest
  }
}
