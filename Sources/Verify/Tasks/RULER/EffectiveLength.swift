import Models

/// RULER's effective context length: the largest tested length at which the average of the tasks
/// exceeds a threshold.
///
/// Source: Hsieh et al., RULER, COLM 2024 (arXiv:2404.06654), section 4 and table 3.
public struct EffectiveLength: Equatable, Sendable {
  /// The score of Llama-2-7B at 4096 tokens, in per cent.
  public static let defaultThreshold = 85.6

  /// The mean of the tasks' scores at one length.
  public struct Average: Equatable, Sendable {
    /// The length, in tokens.
    public var length: Int
    /// The mean score, in per cent.
    public var score: Double
  }

  /// What an average must exceed, in per cent.
  public let threshold: Double
  /// The tasks whose scores are averaged.
  public let tasks: [RULERTask]
  /// The averages, by ascending length.
  public let averages: [Average]
  /// The effective length in tokens; nil if no tested length exceeds the threshold.
  public let length: Int?
  /// Shorter tested lengths that do not exceed the threshold, which RULER's rule ignores.
  public let shortfalls: [Int]

  /// Those of RULER's 13 tasks that the averages leave out.
  public var missingTasks: [String] {
    let ran = Set(tasks.map(\.rawValue))
    return RULERTask.allCases.map(\.rawValue).filter { !ran.contains($0) }
  }

  /// Finds the largest length at which the mean of the tasks exceeds the threshold.
  /// - Parameter scores: from 0 to 1, by length and task, each the mean of its samples.
  /// - Throws: `ModelError` if the lengths do not have the same tasks.
  public init(scores: [Int: [RULERTask: Double]], threshold: Double = Self.defaultThreshold) throws
  {
    let ran = Set(scores.first?.value.keys.map { $0 } ?? [])
    guard !ran.isEmpty, scores.values.allSatisfy({ Set($0.keys) == ran }) else {
      throw ModelError.unsupported(
        "ruler", "an effective length takes the same tasks at every length")
    }
    let averages = scores.sorted { $0.key < $1.key }.map { length, scores in
      Average(
        length: length, score: 100 * scores.values.sorted().reduce(0, +) / Double(scores.count))
    }
    let found = averages.last { $0.score > threshold }?.length
    self.threshold = threshold
    self.averages = averages
    tasks = RULERTask.allCases.filter(ran.contains)
    length = found
    shortfalls = averages.filter { $0.length < found ?? 0 && $0.score <= threshold }.map(\.length)
  }
}
