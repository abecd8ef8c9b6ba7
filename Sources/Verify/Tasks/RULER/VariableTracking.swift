import Models
import Numerics

/// RULER's task vt: the variables that got a value through a chain of assignments among repeated
/// sentences.
///
/// A prompt begins with a solved example of at most 500 tokens. Its variables have other names in
/// each sample.
struct VariableTracking {
  private static let exampleLength = 500
  private static let task = RULERTask.variableTracking

  private let countTokens: @Sendable (String) -> Int
  private var chains: VariableChains

  init(
    _ random: PythonRandom, _ numbers: NumPyRandom,
    _ countTokens: @escaping @Sendable (String) -> Int
  ) {
    self.countTokens = countTokens
    chains = VariableChains(random, numbers)
  }

  /// - Throws: `ModelError` if not even the shortest prompt fits.
  mutating func samples(length: Int, count: Int) throws -> [RULERSample] {
    let solved = try solvedExample()
    let example = solved.text + " " + solved.variables.joined(separator: " ") + "\n\n"
    let exampleTokens = countTokens(example)
    let limit = length - Self.task.tokensToGenerate - exampleTokens
    let size = largestSize(limit: limit, step: 10, isExample: false)
    return try (0..<count).map { index in
      guard let (prompt, tokens) = fitting(size, step: 10, limit: limit, isExample: false) else {
        throw Self.task.tooShort(length)
      }
      return RULERSample(
        index: index, input: chains.renamed(example, solved.variables) + "\n\n" + prompt.input,
        delimiter: Self.task.delimiter, generationPrefix: prompt.generationPrefix,
        references: prompt.variables,
        length: tokens + Self.task.tokensToGenerate + exampleTokens, maximumLength: length)
    }
  }

  private mutating func solvedExample() throws -> VariableChains.Prompt {
    let limit = Self.exampleLength - Self.task.tokensToGenerate
    let size = largestSize(limit: limit, step: 5, isExample: true)
    guard let (prompt, _) = fitting(size, step: 5, limit: limit, isExample: true) else {
      throw ModelError.unsupported(
        Self.task.rawValue,
        "no example of \(Self.exampleLength) of this tokenizer's tokens was found")
    }
    return prompt
  }

  /// The largest number of repeated sentences for which prompt and answer fit the limit.
  private mutating func largestSize(limit: Int, step: Int, isExample: Bool) -> Int {
    var meter = PromptMeter(limit: limit, countTokens)
    var size = step
    var tokens = 0
    while tokens < limit {
      // If two variables have the same name, lm-eval stops with an error. Here others are drawn.
      guard let prompt = try? chains.next(sentences: size, isExample: isExample) else { continue }
      tokens = meter.tokens(of: prompt.text + " " + prompt.listedVariables) ?? tokens
      size += tokens > limit ? -step : step
    }
    return size
  }

  /// A prompt that fits the limit, with fewer sentences if necessary, and its tokens.
  ///
  /// It is nil if even the shortest prompts are too long. lm-eval would draw those for ever.
  private mutating func fitting(
    _ size: Int, step: Int, limit: Int, isExample: Bool
  ) -> (VariableChains.Prompt, tokens: Int)? {
    var size = size
    for _ in 0..<1000 + size / step {
      if let prompt = try? chains.next(sentences: size, isExample: isExample) {
        let tokens = countTokens(prompt.text)
        if tokens <= limit { return (prompt, tokens) }
      }
      if size > step { size -= step }
    }
    return nil
  }
}
