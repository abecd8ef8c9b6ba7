import Inference

/// The runtimes as they answer prompts by greedy generation, each with its cache of keys and values.
struct Respondents {
  private let generators: [(runtime: String, generator: Generator)]

  init(_ scoring: Scoring) {
    generators = scoring.policies.map { ($0.name, Generator(scoring.forward, $0)) }
  }

  /// Has every runtime continue a prompt, and calls `each` with every continuation.
  ///
  /// Runtimes that rotate the prompt alike are computed once.
  /// - Parameters:
  ///   - prompt: the tokens of the prompt, with the beginning token.
  ///   - count: the most tokens to generate.
  ///   - stop: whether the tokens so far suffice.
  func answer(
    _ prompt: [Int], count: Int, until stop: ([Int]) -> Bool,
    each: (_ runtime: String, _ answer: [Int]) throws -> Void
  ) throws {
    var answers: [(generator: Generator, tokens: [Int])] = []
    for (runtime, generator) in generators {
      let same = answers.first {
        $0.generator.generatesSame(generator, prompt: prompt.count, count: count)
      }
      let tokens = try same?.tokens ?? generator.generate(prompt, count: count, until: stop)
      answers.append((generator, tokens))
      try each(runtime, tokens)
    }
  }
}
