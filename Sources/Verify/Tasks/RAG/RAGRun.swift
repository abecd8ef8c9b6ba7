import Inference
import Models

/// Asks questions about one of many passages, by the depth of the passage.
struct RAGRun {
  let data: RAGData
  let tokenizer: Tokenizer

  /// The prompts of some cells of one length, as far as they can be made.
  ///
  /// A question has the same passages around it at every depth.
  /// - Parameter skip: called with the reason for each question that cannot be asked.
  func prompts(
    _ cells: [Passkey.Cell], skip: (String) -> Void
  ) -> [(cell: Passkey.Cell, prompt: RAGPrompt)] {
    var known: [Int: RAGPrompt?] = [:]
    return cells.compactMap { cell in
      if known[cell.sample] == nil {
        do throws(ModelError) {
          known[cell.sample] = try prompt(cell)
        } catch {
          known[cell.sample] = .some(nil)
          skip(error.message)
        }
      }
      return known[cell.sample]?.map { (cell, $0) }
    }
  }

  private func prompt(_ cell: Passkey.Cell) throws(ModelError) -> RAGPrompt {
    guard cell.sample < data.count else {
      throw ModelError.unsupported(
        TaskGrid.Task.rag.name, "the file has only \(data.count) questions to ask")
    }
    return try RAGPrompt(data, cell.sample, length: cell.length, tokenizer)
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
