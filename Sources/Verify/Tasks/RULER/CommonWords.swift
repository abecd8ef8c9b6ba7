import Numerics

/// RULER's task cwe: the ten most common words of a numbered list.
struct CommonWords {
  private struct List {
    var text: String
    /// The common words, as an answer would list them.
    var common: [String]
  }

  private static let task = RULERTask.commonWords
  private static let common = 10
  private static let step = 10
  /// The seed of a separate generator for the order of the words.
  private static let orderSeed: UInt64 = 42
  private static let prefix =
    "Answer: The top 10 words that appear most often in the list are:"

  private let countTokens: @Sendable (String) -> Int
  private let words: [String]
  private var random: PythonRandom
  private var order: PythonRandom

  init(_ random: PythonRandom, _ countTokens: @escaping @Sendable (String) -> Int) {
    self.random = random
    self.countTokens = countTokens
    var words = Wonderwords.all
    order = PythonRandom(seed: Self.orderSeed)
    order.shuffle(&words)
    self.words = words
  }

  /// - Throws: `ModelError` if not even a list of ten words fits.
  mutating func samples(length: Int, count: Int) throws -> [RULERSample] {
    let size = try largestSize(length: length)
    guard size > 0 else { throw Self.task.tooShort(length) }
    return try (0..<count).map { try sample($0, length: length, size: size) }
  }

  /// The largest number of words for which example, prompt and answer fit the length.
  private mutating func largestSize(length: Int) throws -> Int {
    let limit = length - Self.task.tokensToGenerate
    var meter = PromptMeter(limit: limit, countTokens)
    var size = Self.step
    var tokens = 0
    while tokens < limit {
      let (example, prompt) = try next(size: size, length: length)
      let text =
        Self.text(example) + Self.numbered(example.common) + "\n" + Self.text(prompt) + " "
        + Self.numbered(prompt.common)
      tokens = meter.tokens(of: text) ?? tokens
      if tokens > limit { return size - Self.step }
      size += Self.step
      if size > words.count { return words.count }
    }
    return size
  }

  private mutating func sample(_ index: Int, length: Int, size: Int) throws -> RULERSample {
    var size = size
    for _ in 0..<1000 + size / Self.step {
      let (_, prompt) = try next(size: size, length: length)
      let tokens = countTokens(Self.text(prompt)) + Self.task.tokensToGenerate
      if tokens <= length {
        return RULERSample(
          index: index, input: Self.input(prompt), delimiter: Self.task.delimiter,
          generationPrefix: Self.prefix,
          references: prompt.common, length: tokens, maximumLength: length)
      }
      if size > Self.step { size -= Self.step }
    }
    throw Self.task.tooShort(length)
  }

  /// A prompt, and the example before it.
  ///
  /// RULER draws and counts the example, but lm-eval leaves it out of the input.
  private mutating func next(size: Int, length: Int) throws -> (example: List, prompt: List) {
    if length < 4096 {
      return (
        try list(20, commonTimes: 3, otherTimes: 1), try list(size, commonTimes: 6, otherTimes: 1)
      )
    }
    return (
      try list(40, commonTimes: 10, otherTimes: 3), try list(size, commonTimes: 30, otherTimes: 3)
    )
  }

  private mutating func list(_ size: Int, commonTimes: Int, otherTimes: Int) throws -> List {
    let drawn = try random.requireSample(below: words.count, size).map { words[$0] }
    let common = Array(drawn.prefix(Self.common))
    let others = Array(drawn.dropFirst(Self.common))
    var list = (0..<commonTimes).flatMap { _ in common } + (0..<otherTimes).flatMap { _ in others }
    order.shuffle(&list)
    return List(text: Self.numbered(list), common: common)
  }

  private static func numbered(_ words: [String]) -> String {
    words.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: " ")
  }

  private static func input(_ list: List) -> String {
    "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that appear most often.\n\(list.text)\nQuestion: What are the 10 most common words in the above list?"
  }

  /// The text whose tokens are counted.
  private static func text(_ list: List) -> String { input(list) + " " + prefix }
}
