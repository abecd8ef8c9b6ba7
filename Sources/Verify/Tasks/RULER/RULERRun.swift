public import Inference

/// Answers RULER's prompts by greedy generation, with a cache of keys and values.
public struct RULERRun: Sendable {
  private let tokenizer: Tokenizer
  private let essay: RULEREssay
  private let questions: [RULERTask: QuestionFile]

  /// Creates a run over prompts that are cut from an essay, or made of the questions in files.
  public init(
    _ tokenizer: Tokenizer, essay: RULEREssay, questions: [RULERTask: QuestionFile] = [:]
  ) {
    self.tokenizer = tokenizer
    self.essay = essay
    self.questions = questions
  }

  /// The prompts of one task and length.
  ///
  /// A sample's number is its place among those that lm-eval would make.
  /// - Throws: `ModelError` if a length is too short for the task.
  public func samples(_ task: RULERTask, length: Int, count: Int) throws -> [RULERSample] {
    let lead = tokenizer.beginning == nil ? 0 : 1
    let generator = RULERGenerator(task, essay: essay, questions: questions[task]) { [tokenizer] in
      tokenizer.encode($0).count + lead
    }
    return try generator.samples(length: length, count: count)
  }

  /// Answers one prompt as every runtime would, and calls `each` with every result.
  ///
  /// Runtimes that rotate the prompt alike are computed once.
  public func ask(
    _ task: RULERTask, _ sample: RULERSample, _ scoring: Scoring,
    each: (AnswerResult) throws -> Void
  ) throws {
    let prompt = (tokenizer.beginning.map { [$0] } ?? []) + tokenizer.encode(sample.prompt)
    // What follows an answer with every reference cannot change the score.
    func isComplete(_ answer: [Int]) -> Bool {
      RULERScore.score(tokenizer.decode(answer), references: sample.references) == 1
        || tokenizer.endings.contains(answer[answer.count - 1])
    }
    try Respondents(scoring).answer(prompt, count: task.tokensToGenerate, until: isComplete) {
      try each(
        AnswerResult(
          task: task.rawValue, runtime: $0,
          cell: Passkey.Cell(length: sample.maximumLength, depth: 0, sample: sample.index),
          references: sample.references, output: tokenizer.decode($1),
          promptTail: tokenizer.tail(of: prompt)))
    }
  }
}
