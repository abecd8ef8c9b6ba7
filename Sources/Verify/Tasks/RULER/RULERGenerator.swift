import Models
import Numerics

/// Makes the prompts of one of RULER's tasks, as lm-eval does for the same seeds, tokenizer and
/// essay.
public struct RULERGenerator: Sendable {
  /// The seeds of Python's and NumPy's global generators when a task begins.
  public struct Seeds: Equatable, Sendable {
    /// The seed of Python's generator.
    public var python: UInt64
    /// The seed of NumPy's generator.
    public var numPy: UInt32

    /// Seeds, by default lm-eval's own.
    public init(python: UInt64 = 0, numPy: UInt32 = 1234) {
      self.python = python
      self.numPy = numPy
    }
  }

  /// The task whose prompts are made.
  public let task: RULERTask
  /// The seeds of the random generators.
  public let seeds: Seeds
  private let essay: RULEREssay
  private let questions: QuestionFile?
  private let countTokens: @Sendable (String) -> Int

  /// Prepares the prompts of a task.
  /// - Parameters:
  ///   - task: the task.
  ///   - essay: the text from which haystacks are cut.
  ///   - questions: the file of a task that needs one.
  ///   - seeds: the seeds of the random generators.
  ///   - countTokens: counts the tokens of a text, with the special tokens that the tokenizer adds.
  public init(
    _ task: RULERTask, essay: RULEREssay, questions: QuestionFile? = nil, seeds: Seeds = Seeds(),
    countTokens: @escaping @Sendable (String) -> Int
  ) {
    self.task = task
    self.seeds = seeds
    self.essay = essay
    self.questions = questions
    self.countTokens = countTokens
  }

  /// The first samples that lm-eval makes in a new process for this task and length alone.
  /// - Parameters:
  ///   - length: the length of a prompt and its answer, in tokens.
  ///   - count: the number of samples.
  /// - Throws: `ModelError` if a length is too short for the task.
  public func samples(length: Int, count: Int) throws -> [RULERSample] {
    let random = PythonRandom(seed: seeds.python)
    let samples: [RULERSample]
    switch task {
    case .variableTracking:
      var source = VariableTracking(random, NumPyRandom(seed: seeds.numPy), countTokens)
      samples = try source.samples(length: length, count: count)
    case .commonWords:
      var source = CommonWords(random, countTokens)
      samples = try source.samples(length: length, count: count)
    case .frequentWords:
      var source = FrequentWords(random, countTokens)
      samples = try source.samples(length: length, count: count)
    case .squad, .hotpotQA:
      guard let questions else { throw ModelError.unsupported(task.rawValue, "needs a file") }
      var source = QuestionAnswering(task, random, questions, countTokens)
      samples = try source.samples(length: length, count: count)
    default:
      var source = try NeedleTask(task, random, essay, countTokens)
      samples = try source.samples(length: length, count: count)
    }
    return samples
  }
}

extension RULERTask {
  /// The error for a length at which no prompt of this task fits.
  func tooShort(_ length: Int) -> ModelError {
    ModelError.unsupported(rawValue, "\(length) tokens are too few for a prompt of this task")
  }
}
