extension TaskGrid {
  /// One of the things that can be measured.
  public enum Task: Hashable, Sendable {
    case passkey, niah, perplexity, retention, crossing
    case ruler(RULERTask)

    /// Every task.
    public static let all: [Task] =
      [.passkey, .niah, .perplexity, .retention, .crossing] + RULERTask.allCases.map(Self.ruler)

    /// The names of all tasks.
    public static let names = all.map(\.name)

    /// The task with a name of `names`; nil for any other name.
    public init?(name: String) {
      guard let task = Self.all.first(where: { $0.name == name }) else { return nil }
      self = task
    }

    /// The tasks of a name: one of `names`, or `ruler` for all of RULER's.
    ///
    /// Nil for any other name.
    public static func named(_ name: String) -> [Task]? {
      if name == "ruler" { return RULERTask.allCases.map(Self.ruler) }
      return Self(name: name).map { [$0] }
    }

    /// The name in options and results.
    public var name: String {
      switch self {
      case .passkey: "passkey"
      case .niah: "niah"
      case .perplexity: "perplexity"
      case .retention: "retention"
      case .crossing: "crossing"
      case .ruler(let task): task.rawValue
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

    /// The work of one cell, relative to one prefill.
    var weight: Double { if case .ruler = self { 2 } else { 1 } }

    /// Whether it needs the tokens of a text.
    var needsTokens: Bool { [.perplexity, .retention, .crossing, .niah].contains(self) }

    /// Whether it needs a text as words.
    var needsEssay: Bool { if case .ruler(let task) = self { task.needsEssay } else { false } }
  }
}
