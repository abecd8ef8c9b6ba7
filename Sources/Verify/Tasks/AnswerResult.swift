/// What one runtime answered to one prompt.
public struct AnswerResult: Equatable, Sendable {
  /// `niah`, `rag`, or the name of one of RULER's tasks.
  public var task: String
  /// The name of the runtime.
  public var runtime: String
  /// The prompt.
  ///
  /// RULER's tasks have no depth; their cells have 0.
  public var cell: Passkey.Cell
  /// What the answer must contain.
  public var references: [String]
  /// The answer.
  public var output: String
  /// The share of the references that the output contains; for `rag` whether it contains one.
  public var score: Double
  /// The end of the prompt, if a reference is missing from the output.
  public var promptTail: String?

  /// The depth of what is asked for; nil for tasks without depths.
  public var depth: Double? {
    TaskGrid.Task(name: task)?.hasDepths == true ? cell.depth : nil
  }

  init(
    task: String, runtime: String, cell: Passkey.Cell, references: [String], output: String,
    promptTail: String?
  ) {
    self.task = task
    self.runtime = runtime
    self.cell = cell
    self.references = references
    self.output = output
    score = TaskGrid.Task(name: task)?.score(output, references: references) ?? 0
    self.promptTail = score < 1 ? promptTail : nil
  }
}
