import Models
import Numerics

/// Makes the prompts of one of RULER's tasks: those of lm-eval, for the same seeds, tokenizer and essay.
public struct RULERGenerator: Sendable {
  /// The seeds of Python's and NumPy's global generators when a task begins; lm-eval's own unless set.
  public struct Seeds: Equatable, Sendable {
    public var python: UInt64
    public var numPy: UInt32

    public init(python: UInt64 = 0, numPy: UInt32 = 1234) {
      self.python = python
      self.numPy = numPy
    }
  }

  public let task: RULERTask
  public let seeds: Seeds
  private let essay: RULEREssay
  private let countTokens: @Sendable (String) -> Int

  /// - Parameter countTokens: the tokens of a text, with the special tokens that the tokenizer adds by itself.
  public init(
    _ task: RULERTask, essay: RULEREssay, seeds: Seeds = Seeds(), countTokens: @escaping @Sendable (String) -> Int
  ) {
    self.task = task
    self.seeds = seeds
    self.essay = essay
    self.countTokens = countTokens
  }

  /// The first `count` of the samples that lm-eval makes in a fresh process for this task and length alone.
  /// - Parameter length: the tokens of a prompt and its answer.
  /// - Throws: `ModelError` where a length is too short for the task.
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
    default:
      var source = try NeedleTask(task, random, essay, countTokens)
      samples = try source.samples(length: length, count: count)
    }
    return samples
  }
}

extension RULERTask {
  /// - Returns: the error of a length at which no prompt of this task fits.
  func tooShort(_ length: Int) -> ModelError {
    ModelError.unsupported(rawValue, "\(length) tokens are too few for a prompt of this task")
  }
}
