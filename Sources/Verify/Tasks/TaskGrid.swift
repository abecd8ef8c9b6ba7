public import Inference

/// What one verification measures: tasks over a grid of lengths, depths and samples.
public struct TaskGrid: Sendable {
  /// A text under its name.
  public struct Text: Sendable {
    /// The name that results give.
    public var name: String
    /// Its tokens, without a beginning token.
    public var tokens: [Int]

    /// Creates a text.
    public init(name: String, tokens: [Int]) {
      self.name = name
      self.tokens = tokens
    }
  }

  /// How far a run is.
  public struct Progress: Sendable {
    /// The share of the work that is done, from 0 to 1.
    public var share: Double
    /// What is being done.
    public var label: String
  }

  /// What is measured.
  public var tasks: [Task] = [.passkey]
  /// The lengths of prompts and windows, in tokens.
  public var lengths: [Int] = []
  /// The depths at which passkeys, needles and passages with answers stand, from 0 to 1.
  public var depths: [Double] = []
  /// Prompts for each length and depth; nil for three at small lengths, and one at others.
  public var samples: Int?
  /// Prompts of each of RULER's tasks at each length; nil for as many as `samples`.
  public var prompts: Int?
  /// The seed of the prompts.
  public var seed: UInt64 = 0
  /// The wording of the passkey prompts.
  public var style = Passkey.Style.longrope
  /// Texts whose perplexity is measured.
  public var texts: [Text] = []
  /// The text in which needles are hidden.
  public var haystack = Text(name: "", tokens: [])
  /// The text from which RULER's haystacks are cut.
  public var essay = RULEREssay("", name: "")
  /// How perplexity is measured.
  public var method = Perplexity.Method.truncate
  /// Tokens by which a window moves, for the methods that move one.
  public var stride = 256
  /// The most windows of each text; nil for as many as the budget of tokens needs.
  public var windows: Int?
  /// The questions of RULER's tasks that need a file.
  var questionFiles: [RULERTask: QuestionFile] = [:]
  /// The questions and passages of the task `rag`.
  var passages: RAGData?
  /// The questions of the benchmarks.
  var benchmarks: [BenchmarkData] = []
  /// The most tokens of a benchmark's prompt.
  var benchmarkWindow = 0
  /// Whether a baseline answers the benchmarks too.
  var hasBaseline = false
  /// Whether the baseline is compared with at every length and position, and asked for passkeys.
  public var comparesEverywhere = false
  /// What is kept of a baseline that several models are compared with, which is asked for passkeys by
  /// itself.
  var baselineStates: BaselineStates?
  /// The part of the grid that is measured; nil for the whole.
  public var shard: Shard?
  /// A random part of it; nil for all.
  var sample: GridSample?

  /// What a user should know about the texts.
  public internal(set) var remarks: [String] = []

  /// A grid without lengths, which measures nothing.
  public init() {}

  /// Measures everything.
  ///
  /// If an error ends the run early, `measured` has everything up to there.
  /// - Parameters:
  ///   - baseline: the model to compare with, for the task `retention`.
  ///   - report: called before and after each piece of work.
  /// - Throws: `ModelError` for a length or a text that is too short; whatever the checkpoint of
  ///   the forward pass throws.
  public func run(
    _ scoring: Scoring, baseline: Scoring?, _ tokenizer: Tokenizer,
    into measured: inout Measurements, report: (Progress) -> Void
  ) throws {
    let steps = ownSteps(measured.originalWindow)
    for step in steps { expect(step, scoring.policies.map(\.name), &measured) }
    let work = Work(grid: self, scoring: scoring, baseline: baseline, tokenizer: tokenizer)
    let total = steps.reduce(0) { $0 + $1.cost }
    var done = 0.0
    for group in Self.groups(steps) {
      let label = Set(group.map(\.length)).count > 1 ? group[0].task.name : group[0].label
      report(Progress(share: done / total, label: label))
      try work.perform(group, &measured) { finished in
        done += finished
        report(Progress(share: done / total, label: label))
      }
    }
    report(Progress(share: 1, label: ""))
  }

  /// The metrics and lengths that the whole grid measures, whatever its shard.
  ///
  /// The places have an empty name for the runtime.
  public func places(originalWindow: Int) -> Set<Measurements.Place> {
    var measured = Measurements(originalWindow: originalWindow)
    for step in steps(originalWindow) { expect(step, [""], &measured) }
    return Set(measured.missing.keys)
  }
}
