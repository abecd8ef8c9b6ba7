/// Where the questions of a benchmark come from.
public struct BenchmarkSource: Equatable, Sendable {
  /// The path of the questions, in JSON lines.
  public var data: String
  /// The path of the examples before each question, in JSON lines; nil for none.
  public var examples: String?
  /// The number of examples before each question; nil for the benchmark's own number.
  public var shots: Int?

  /// Questions without examples of another file.
  public init(data: String, examples: String? = nil, shots: Int? = nil) {
    self.data = data
    self.examples = examples
    self.shots = shots
  }

  /// The files.
  public var paths: [String] { [data] + [examples].compactMap(\.self) }
}
