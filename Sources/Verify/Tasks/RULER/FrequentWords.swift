import Numerics

/// RULER's task fwe: the three most frequent of made-up words, whose frequencies fall by Zipf's law
/// with exponent 2.
struct FrequentWords {
  private static let task = RULERTask.frequentWords
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz")
  private static let wordLength = 6
  /// The seed of the order of the vocabulary, and of the words in each text.
  private static let orderSeed: UInt64 = 42
  /// Riemann's zeta of 2: pi^2 / 6.
  private static let zeta = 0x1.a51a6625307d3p+0
  private static let prefix =
    "Answer: According to the coded text above, the three most frequently appeared words are:"

  private let countTokens: @Sendable (String) -> Int
  private var random: PythonRandom

  init(_ random: PythonRandom, _ countTokens: @escaping @Sendable (String) -> Int) {
    self.random = random
    self.countTokens = countTokens
  }

  /// Draws the samples.
  ///
  /// The words of a text, before rounding, are as many as fit the length, without
  /// room for the answer.
  /// - Throws: `ModelError` for a length below 200, which has too few words for the question.
  mutating func samples(length: Int, count: Int) throws -> [RULERSample] {
    guard length >= 200 else { throw Self.task.tooShort(length) }
    let size = largestSize(vocabulary(length / 50), length: length)
    guard size > 0 else { throw Self.task.tooShort(length) }
    return try (0..<count).map { index in
      let words = vocabulary(length / 50)
      let (input, tokens) = try fitting(words, size: size, length: length)
      return RULERSample(
        index: index, input: input, delimiter: Self.task.delimiter, generationPrefix: Self.prefix,
        references: Array(words[1..<4]), length: tokens + Self.task.tokensToGenerate,
        maximumLength: length)
    }
  }

  private func largestSize(_ words: [String], length: Int) -> Int {
    var size = length / Self.wordLength
    while tokens(Self.input(words, size: size)) < length { size += length / 32 }
    return size - length / 32
  }

  /// An input that fits the length, with fewer words if necessary, and its tokens.
  private func fitting(_ words: [String], size: Int, length: Int) throws -> (String, tokens: Int) {
    for size in stride(from: size, through: 1, by: -(length / 32)) {
      let input = Self.input(words, size: size)
      let tokens = tokens(input)
      if tokens <= length { return (input, tokens) }
    }
    throw Self.task.tooShort(length)
  }

  /// Made-up words, all different.
  ///
  /// The first and most frequent one is noise.
  private mutating func vocabulary(_ count: Int) -> [String] {
    var words: Set<String> = []
    for _ in 0..<count { words.insert(random.letters(of: Self.letters, Self.wordLength)) }
    while words.count < count { words.insert(random.letters(of: Self.letters, Self.wordLength)) }
    var ranked = words.sorted()
    var order = PythonRandom(seed: Self.orderSeed)
    order.shuffle(&ranked)
    ranked[0] = "..."
    return ranked
  }

  private static func input(_ words: [String], size: Int) -> String {
    var text = words.enumerated().flatMap { index, word in
      let rank = Double(index + 1)
      return Array(repeating: word, count: Int(Double(size) * (1 / (rank * rank)) / zeta))
    }
    var order = PythonRandom(seed: orderSeed)
    order.shuffle(&text)
    return
      "Read the following coded text and track the frequency of each coded word. Find the three most frequently appeared coded words. \(text.joined(separator: " "))\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are the three most frequently appeared words in the above coded text?"
  }

  /// The tokens of an input with the generation prefix, as RULER counts them.
  private func tokens(_ input: String) -> Int { countTokens(input + " " + Self.prefix) }
}
