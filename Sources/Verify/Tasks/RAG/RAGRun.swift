import Inference
import Models

/// Asks questions about one of many passages, by the depth of the passage.
struct RAGRun {
  let data: RAGData
  let tokenizer: Tokenizer

  /// The prompts of some cells of one length, each with its cell.
  ///
  /// A question has the same passages around it at every depth.
  /// - Throws: `ModelError` for a length that the question alone exceeds or all passages do not
  ///   fill, and for more samples than there are questions.
  func prompts(_ cells: [Passkey.Cell]) throws -> [(cell: Passkey.Cell, prompt: RAGPrompt)] {
    var known: [Int: RAGPrompt] = [:]
    return try cells.map { cell in
      guard cell.sample < data.count else {
        throw ModelError.unsupported(
          TaskGrid.Task.rag.name, "the file has only \(data.count) questions to ask")
      }
      let prompt =
        try known[cell.sample]
        ?? RAGPrompt(data, cell.sample, length: cell.length, tokenizer)
      known[cell.sample] = prompt
      return (cell, prompt)
    }
  }

  /// Asks every prompt of every runtime, and calls `each` with every result.
  func ask(
    _ prompts: [(cell: Passkey.Cell, prompt: RAGPrompt)], _ scoring: Scoring,
    each: (AnswerResult) throws -> Void
  ) throws {
    let respondents = Respondents(scoring)
    for (cell, prompt) in prompts {
      let tokens =
        (tokenizer.beginning.map { [$0] } ?? []) + tokenizer.encode(prompt.text(depth: cell.depth))
      let answers = prompt.item.answers
      func isComplete(_ answer: [Int]) -> Bool {
        let output = tokenizer.decode(answer)
        return output.contains(where: \.isNewline) || RAGAnswer.contains(answers, in: output)
          || tokenizer.endings.contains(answer[answer.count - 1])
      }
      try respondents.answer(tokens, count: RAGPrompt.tokensToGenerate, until: isComplete) {
        try each(
          AnswerResult(
            task: TaskGrid.Task.rag.name, runtime: $0, cell: cell, references: answers,
            output: RAGAnswer.firstLine(of: tokenizer.decode($1)),
            promptTail: tokenizer.tail(of: tokens)))
      }
    }
  }
}
