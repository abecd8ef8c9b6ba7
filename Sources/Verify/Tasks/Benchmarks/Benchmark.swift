/// A published benchmark, as lm-eval asks and scores it, on questions from a file.
///
/// Source: the tasks of lm-eval 0.4.13; scripts/conformance/check_benchmarks.py compares them
/// document by document.
public struct Benchmark: Sendable {
  /// A score of one question, by its name in lm-eval.
  public enum Score: String, CaseIterable, Sendable {
    /// Whether the right choice is the likeliest.
    case accuracy = "acc"
    /// The same by log-likelihood per character of the choice.
    case normalizedAccuracy = "acc_norm"
    /// Whether the number after `####` is right.
    case strictMatch = "strict-match"
    /// Whether the last number is right.
    case flexibleExtract = "flexible-extract"
  }

  /// Which examples stand before a question.
  enum Examples: Sendable {
    /// None, whatever is asked for: the prompt has its own.
    case none
    /// The first ones about the question's subject.
    case first
    /// Some at random, others for each question.
    ///
    /// `others`: never the question itself.
    case drawn(others: Bool)
  }

  /// The name in options, gates and results, which is lm-eval's.
  public let name: String
  /// The scores of each question; the first is the benchmark's metric.
  public let scores: [Score]
  /// The rows that a file must have, for errors.
  let rows: String
  let examples: Examples
  /// The number of examples unless another one is asked for.
  var defaultShots = 0
  /// Makes a question of a row.
  let question: @Sendable (DatasetRow) throws -> BenchmarkQuestion

  /// Every benchmark.
  public static let all: [Benchmark] = [
    mmlu, hellaswag, arcEasy, arcChallenge, truthfulQA, winogrande, gsm8k,
  ]
  /// The names of all benchmarks.
  public static let names = all.map(\.name)

  /// The benchmark with a name of `names`; nil for any other name.
  public static func named(_ name: String) -> Benchmark? { all.first { $0.name == name } }
}

extension Benchmark: Hashable {
  /// Whether both have the same name.
  public static func == (left: Benchmark, right: Benchmark) -> Bool { left.name == right.name }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
