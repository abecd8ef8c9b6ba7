import Formats
import Inference
import Models

/// Asks the questions of a benchmark, as every runtime would, and as a baseline would.
struct BenchmarkRun {
  let data: BenchmarkData
  let tokenizer: Tokenizer
  /// The most tokens of a prompt; longer ones are cut from the left, as lm-eval does.
  let window: Int
  let models: BenchmarkModels

  /// The most questions that are scored together, whose common beginnings are computed once.
  private static let mostTogether = 128

  /// Asks questions one after another.
  /// - Parameter each: called with the index of the policy and the answered question.
  func ask(
    _ items: [BenchmarkData.Item], each: (Int, BenchmarkResult.Document) throws -> Void
  ) throws {
    var rest = items[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(Self.mostTogether))
      rest = rest.dropFirst(part.count)
      if case .open = part[0].question.form {
        for item in part { try generate(item, each) }
      } else {
        try choose(part, each)
      }
    }
  }

  /// The answers of one question by all columns, as documents of the policies.
  private func report(
    _ item: BenchmarkData.Item, target: String, isCut: Bool, _ answers: [BenchmarkResult.Answer],
    _ each: (Int, BenchmarkResult.Document) throws -> Void
  ) throws {
    for policy in 0..<models.policies {
      try each(
        policy,
        BenchmarkResult.Document(
          number: item.number, target: target, answer: answers[policy],
          baseline: models.baselineColumn(policy).map { answers[$0] }, isCut: isCut))
    }
  }

  // MARK: Choices

  private func choose(
    _ items: [BenchmarkData.Item], _ each: (Int, BenchmarkResult.Document) throws -> Void
  ) throws {
    let prompts = try items.map(prompts)
    let sequences = prompts.flatMap { $0.map(\.sequence) }
    // The log-likelihoods of the sequences, by column.
    var sums = Array(repeating: [Double](), count: models.columns)
    try models.score(sequences) { column, scores in
      sums[column].append(scores.reduce(0) { $0 + $1.logProbability })
    }
    var start = 0
    for (item, prompts) in zip(items, prompts) {
      guard case .choice(let choices, let right) = item.question.form else { continue }
      let range = start..<start + prompts.count
      start = range.upperBound
      let answers = sums.map { answer(Array($0[range]), choices, right: right) }
      let isCut = prompts.contains { $0.isCut }
      try report(item, target: String(right), isCut: isCut, answers, each)
    }
  }

  /// A question with each of its choices, and whether the window cuts it.
  private func prompts(
    _ item: BenchmarkData.Item
  ) throws -> [(sequence: Scoring.Sequence, isCut: Bool)] {
    guard case .choice(let choices, _) = item.question.form else { return [] }
    let beginning = data.beginning(item)
    return try choices.map { choice in
      let (all, start) = try tokenizer.tokens(
        of: beginning + choice.context, continuedBy: choice.continuation, models.checkpoint)
      let kept = Array(all.suffix(window + 1))
      let scored = Array(max(0, start - (all.count - kept.count))..<kept.count)
      guard let first = scored.first, first > 0 else {
        throw ModelError.unsupported(
          data.path,
          """
          \(item.place): the choice '\(choice.continuation.sanitized)' has \(all.count - start) \
          tokens after its question, expected 1 to \(window)
          """)
      }
      return (
        Scoring.Sequence(tokens: kept, prompt: kept.count - 1, scored: scored),
        kept.count < all.count
      )
    }
  }

  private func answer(
    _ logLikelihoods: [Double], _ choices: [BenchmarkQuestion.Choice], right: Int
  ) -> BenchmarkResult.Answer {
    let chosen = data.benchmark.scores.map { score in
      let values =
        score == .normalizedAccuracy
        ? zip(logLikelihoods, choices).map { $0 / Double($1.characters) } : logLikelihoods
      return values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
    }
    return BenchmarkResult.Answer(
      given: String(chosen[0]), scores: chosen.map { $0 == right ? 1 : 0 },
      logLikelihoods: logLikelihoods)
  }

  // MARK: Generation

  private func generate(
    _ item: BenchmarkData.Item, _ each: (Int, BenchmarkResult.Document) throws -> Void
  ) throws {
    guard case .open(let prompt, let solution) = item.question.form else { return }
    let lead = tokenizer.beginning.map { [$0] } ?? []
    let text = data.beginning(item) + prompt
    let tokens = try lead + tokenizer.encode(text, checkpoint: models.checkpoint)
    let endings = tokenizer.endings.sorted().map { tokenizer.decode([$0]) }
    let stops = (SolutionNumber.stops + endings).filter { !$0.isEmpty }
    let kept = Array(tokens.suffix(window - SolutionNumber.mostTokens))
    let outputs = try models.generate(kept, count: SolutionNumber.mostTokens) { generated in
      let text = tokenizer.decode(generated)
      return tokenizer.endings.contains(generated[generated.count - 1])
        || stops.contains { text.contains($0) }
    }
    let target = SolutionNumber.normalized(solution)
    let answers = outputs.map { tokens in
      answer(SolutionNumber.beforeStop(tokenizer.decode(tokens), stops), target: target)
    }
    try report(item, target: target, isCut: kept.count < tokens.count, answers, each)
  }

  private func answer(_ output: String, target: String) -> BenchmarkResult.Answer {
    let found = data.benchmark.scores.map { SolutionNumber.found(in: output, by: $0) }
    return BenchmarkResult.Answer(
      given: found[0], scores: found.map { SolutionNumber.normalized($0) == target ? 1 : 0 },
      output: output)
  }
}
