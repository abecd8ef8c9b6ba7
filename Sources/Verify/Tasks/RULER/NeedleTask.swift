import Models
import Numerics

/// The eight needle tasks: finds the longest haystack that fits, then draws the samples.
struct NeedleTask {
  private let task: RULERTask
  private let recipe: NeedleRecipe
  private let essayWords: Int
  private let countTokens: @Sendable (String) -> Int
  private var prompts: NeedlePrompts

  init(
    _ task: RULERTask, _ random: PythonRandom, _ essay: RULEREssay,
    _ countTokens: @escaping @Sendable (String) -> Int
  ) throws {
    guard let recipe = task.needle else {
      throw ModelError.unsupported(task.rawValue, "not a needle task")
    }
    self.task = task
    self.recipe = recipe
    self.countTokens = countTokens
    essayWords = essay.words.count
    prompts = NeedlePrompts(recipe, random, essay)
  }

  /// - Throws: `ModelError` if none of the samples fits.
  mutating func samples(length: Int, count: Int) throws -> [RULERSample] {
    let size = try largestSize(length: length)
    let samples = try (0..<count).compactMap { try sample($0, length: length, size: size) }
    guard !samples.isEmpty || count == 0 else { throw task.tooShort(length) }
    return samples
  }

  /// The largest size for which prompt and answer fit the length, but at least the number of
  /// needles.
  private mutating func largestSize(length: Int) throws -> Int {
    let step = recipe.step(length: length)
    let limit = length - task.tokensToGenerate
    var meter = PromptMeter(limit: limit, countTokens)
    var size = max(step, recipe.needles)
    var tokens = 0
    while tokens < limit {
      let prompt = try prompts.next(size: size)
      tokens = meter.tokens(of: prompt.text + prompt.answers.joined(separator: " ")) ?? tokens
      if tokens > limit {
        size -= step
        break
      }
      if recipe.haystack == .essay && size > essayWords {
        size = essayWords
        break
      }
      guard size <= length else {
        throw ModelError.unsupported(task.rawValue, "the tokenizer finds too few tokens")
      }
      size += step
    }
    return max(size, recipe.needles)
  }

  /// One sample, with a smaller haystack if necessary; nil if none fits.
  private mutating func sample(_ index: Int, length: Int, size: Int) throws -> RULERSample? {
    for size in stride(from: size, to: 0, by: -recipe.step(length: length)) {
      guard let prompt = try? prompts.next(size: size) else { continue }
      let tokens = countTokens(prompt.text) + task.tokensToGenerate
      if tokens <= length {
        return RULERSample(
          index: index, input: prompt.text, delimiter: task.delimiter,
          generationPrefix: NeedleText.generationPrefix(
            recipe.valueKind, query: prompt.query, isSingle: recipe.isSingle),
          references: prompt.answers, length: tokens, maximumLength: length)
      }
    }
    return nil
  }
}
