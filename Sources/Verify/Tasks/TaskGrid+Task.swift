extension TaskGrid {
  /// One of the things that can be measured.
  public enum Task: Hashable, Sendable {
    case passkey, niah, rag, perplexity, retention, crossing
    case ruler(RULERTask)
    case benchmark(Benchmark)

    /// Every task.
    public static let all: [Task] =
      [.passkey, .niah, .rag, .perplexity, .retention, .crossing]
      + RULERTask.allCases.map(Self.ruler)
      + Benchmark.all.map(Self.benchmark)

    /// The names of all tasks.
    public static let names = all.map(\.name)

    /// The task with a name of `names`; nil for any other name.
    public init?(name: String) {
      guard let task = Self.all.first(where: { $0.name == name }) else { return nil }
      self = task
    }

    /// Names of several tasks.
    public static let groups = ["ruler", "arc"]

    /// The tasks of a name: one of `names`, `ruler` for all of RULER's that need no file, or `arc` for
    /// both of ARC's.
    ///
    /// Nil for any other name.
    public static func named(_ name: String) -> [Task]? {
      switch name {
      case "ruler": RULERTask.withoutFile.map(Self.ruler)
      case "arc": [.benchmark(.arcEasy), .benchmark(.arcChallenge)]
      default: Self(name: name).map { [$0] }
      }
    }

    /// The name in options and results.
    public var name: String {
      switch self {
      case .passkey: "passkey"
      case .niah: "niah"
      case .rag: "rag"
      case .perplexity: "perplexity"
      case .retention: "retention"
      case .crossing: "crossing"
      case .ruler(let task): task.rawValue
      case .benchmark(let benchmark): benchmark.name
      }
    }

    /// The metrics of one cell.
    var metrics: [Metric] {
      switch self {
      case .passkey: [.passkey, .publishedPasskey]
      case .retention: [.perplexityRatio, .divergence, .agreement]
      default: [.answers(name)]
      }
    }

    /// The name, as `named` takes it, that measures a metric.
    static func name(measuring metric: Metric) -> String? {
      metric == .effectiveLength ? "ruler" : all.first { $0.metrics.contains(metric) }?.name
    }

    /// The gate that is judged unless others are given, or nil if the task has none.
    ///
    /// Tasks of retrieval have one. How well a good model does in the others depends on the model.
    var defaultGate: String? {
      switch self {
      case .passkey, .niah: "\(name)>=0.9"
      case .ruler(let task): task.isRetrieval ? "\(name)>=0.9" : nil
      case .retention: "perplexity_ratio@short<=1.05"
      case .rag, .perplexity, .crossing, .benchmark: nil
      }
    }

    /// The default gates of all tasks, those of RULER's needles as one.
    public static let defaultGates =
      all.filter { if case .ruler = $0 { false } else { true } }.compactMap(\.defaultGate)
      + ["niah_*>=0.9"]

    /// Whether its questions come from a file.
    public var needsFile: Bool {
      switch self {
      case .ruler(let task): task.needsFile
      case .rag, .benchmark: true
      default: false
      }
    }

    /// Whether what is asked for stands at several depths of the prompt.
    public var hasDepths: Bool { [.passkey, .niah, .rag].contains(self) }

    /// The score of an answer that was generated, from 0 to 1.
    func score(_ output: String, references: [String]) -> Double {
      guard self == .rag else { return RULERScore.score(output, references: references) }
      return RAGAnswer.contains(references, in: output) ? 1 : 0
    }

    /// Whether it is measured at the grid's lengths.
    var hasLengths: Bool {
      switch self {
      case .crossing, .benchmark: false
      default: true
      }
    }

    /// The work of one cell, relative to one prefill.
    var weight: Double { if case .ruler = self { 2 } else { 1 } }

    /// Whether it needs the tokens of a text.
    var needsTokens: Bool { [.perplexity, .retention, .crossing, .niah].contains(self) }

    /// Whether it needs a text as words.
    var needsEssay: Bool { if case .ruler(let task) = self { task.needsEssay } else { false } }
  }
}
