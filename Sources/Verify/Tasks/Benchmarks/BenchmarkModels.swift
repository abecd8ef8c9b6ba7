import Inference

/// A model as its runtimes would run it, and its baseline, as columns of a table of answers.
///
/// The baseline of a policy is the policy of the same name, or the first one.
struct BenchmarkModels {
  private let scoring: Scoring
  /// The baseline with as many policies as the model; nil without a baseline.
  private let baseline: Scoring?

  init(_ scoring: Scoring, baseline: Scoring?) {
    self.scoring = scoring
    self.baseline = baseline.map { baseline in
      Scoring(baseline.forward, scoring.policies.compactMap(baseline.policy(like:)))
    }
  }

  /// Called between pieces of work.
  ///
  /// An error that it throws ends the work.
  var checkpoint: @Sendable () throws -> Void { scoring.forward.checkpoint }

  /// The number of runtimes.
  var policies: Int { scoring.policies.count }
  /// The runtimes' columns, and then those of their baselines.
  var columns: Int { policies + (baseline?.policies.count ?? 0) }

  /// The column with the baseline of a policy.
  func baselineColumn(_ policy: Int) -> Int? { baseline == nil ? nil : policies + policy }

  /// Models that are run together: a baseline of the same weights is computed with the model, where
  /// both are rotated alike only once.
  private var runs: [(scoring: Scoring, firstColumn: Int)] {
    guard let baseline else { return [(scoring, 0)] }
    guard baseline.forward.model.path == scoring.forward.model.path else {
      return [(scoring, 0), (baseline, policies)]
    }
    return [(Scoring(scoring.forward, scoring.policies + baseline.policies), 0)]
  }

  /// Scores sequences, in order for each column.
  /// - Parameter each: called with the column and the scores of the next sequence.
  func score(_ sequences: [Scoring.Sequence], each: (Int, [TokenScore]) -> Void) throws {
    for run in runs {
      try run.scoring.run(sequences) { _, policy, scores in each(run.firstColumn + policy, scores) }
    }
  }

  /// Generates after a prompt, greedily.
  ///
  /// Columns that generate the same are computed once.
  /// - Returns: the generated tokens of each column.
  func generate(
    _ prompt: [Int], count: Int, until stop: ([Int]) -> Bool
  ) throws -> [[Int]] {
    var outputs: [[Int]] = []
    for run in runs {
      var known: [(generator: Generator, output: [Int])] = []
      for policy in run.scoring.policies {
        let generator = Generator(run.scoring.forward, policy)
        let same = known.first {
          $0.generator.generatesSame(generator, prompt: prompt.count, count: count)
        }
        let output = try same?.output ?? generator.generate(prompt, count: count, until: stop)
        known.append((generator, output))
      }
      outputs += known.map(\.output)
    }
    return outputs
  }
}
