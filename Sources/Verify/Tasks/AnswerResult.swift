/// What one runtime answered to one prompt.
public struct AnswerResult: Equatable, Sendable {
  /// `niah`, or the name of one of RULER's tasks.
  public var task: String
  public var runtime: String
  /// The prompt. RULER's tasks have no depth, and 0 stands for it.
  public var cell: Passkey.Cell
  public var references: [String]
  public var output: String
  /// The share of the references that the output contains.
  public var score: Double

  init(task: String, runtime: String, cell: Passkey.Cell, references: [String], output: String) {
    self.task = task
    self.runtime = runtime
    self.cell = cell
    self.references = references
    self.output = output
    score = RULERScore.score(output, references: references)
  }
}
