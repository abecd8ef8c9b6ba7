import Models

/// RULER's effective context length: the largest tested length at which the average of the tasks exceeds a threshold.
///
/// Source: Hsieh et al., RULER, COLM 2024 (arXiv:2404.06654), section 4 and table 3.
public struct EffectiveLength: Equatable, Sendable {
  /// What Llama-2-7B reaches at 4096 tokens, in per cent.
  public static let defaultThreshold = 85.6

  /// The mean of the tasks' scores at one length.
  public struct Average: Equatable, Sendable {
    public var length: Int
    /// In per cent.
    public var score: Double
  }

  public let threshold: Double
  /// The tasks that the averages are of.
  public let tasks: [RULERTask]
  /// By growing length.
  public let averages: [Average]
  /// Nil where no tested length exceeds the threshold.
  public let length: Int?
  /// Shorter tested lengths that do not exceed the threshold; RULER's rule passes over them.
  public let shortfalls: [Int]

  /// Of RULER's 13 tasks, those that the averages leave out.
  public var missingTasks: [String] {
    let ran = Set(tasks.map(\.rawValue))
    return RULERTask.allNames.filter { !ran.contains($0) }
  }

  /// - Parameter scores: from 0 to 1, by length and task, each the mean of its samples.
  /// - Throws: `ModelError` where the lengths do not have the same tasks.
  public init(scores: [Int: [RULERTask: Double]], threshold: Double = Self.defaultThreshold) throws {
    let ran = Set(scores.first?.value.keys.map { $0 } ?? [])
    guard !ran.isEmpty, scores.values.allSatisfy({ Set($0.keys) == ran }) else {
      throw ModelError.unsupported("ruler", "an effective length takes the same tasks at every length")
    }
    let averages = scores.sorted { $0.key < $1.key }.map { length, scores in
      Average(length: length, score: 100 * scores.values.sorted().reduce(0, +) / Double(scores.count))
    }
    let found = averages.last { $0.score > threshold }?.length
    self.threshold = threshold
    self.averages = averages
    tasks = RULERTask.allCases.filter(ran.contains)
    length = found
    shortfalls = averages.filter { $0.length < found ?? 0 && $0.score <= threshold }.map(\.length)
  }
}
