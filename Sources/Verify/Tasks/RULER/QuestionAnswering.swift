import Models
import Numerics

/// RULER's tasks qa_1 and qa_2: a question about one of many documents.
struct QuestionAnswering {
  private static let step = 10
  /// The seed of the order of the documents, the same for every prompt.
  private static let orderSeed: UInt64 = 42
  private static let prefix = "Answer:"
  private static let instruction =
    "Answer the question based on the given documents. Only give me the answer and do not output any other words."

  private let task: RULERTask
  private let questions: [QuestionFile.Question]
  /// A prompt of all documents leaves them in its own order, as lm-eval's does.
  private var documents: [String]
  private let countTokens: @Sendable (String) -> Int
  private var random: PythonRandom

  init(
    _ task: RULERTask, _ random: PythonRandom, _ file: QuestionFile,
    _ countTokens: @escaping @Sendable (String) -> Int
  ) {
    self.task = task
    self.random = random
    (questions, documents) = (file.questions, file.documents.map(\.text))
    self.countTokens = countTokens
  }

  /// - Throws: `ModelError` if none of the samples fits.
  mutating func samples(length: Int, count: Int) throws -> [RULERSample] {
    let size = largestSize(length: length)
    let samples = (0..<min(count, questions.count)).compactMap {
      sample($0, length: length, size: size)
    }
    guard !samples.isEmpty || count == 0 else { throw task.tooShort(length) }
    return samples
  }

  /// The largest number of documents for which the first question and its answer fit the length.
  private mutating func largestSize(length: Int) -> Int {
    let limit = length - task.tokensToGenerate
    var meter = PromptMeter(limit: limit, countTokens)
    var (size, tokens) = (Self.step, 0)
    while tokens < limit {
      let answer = Self.pythonList(questions[0].answers)
      guard let prompt = prompt(questions[0], size: size) else { break }
      tokens = meter.tokens(of: "\(prompt) \(answer)") ?? tokens
      if tokens > limit {
        size -= Self.step
        break
      }
      size += Self.step
      if size > documents.count {
        size = documents.count
        break
      }
    }
    return max(size, 1)
  }

  /// One sample, with fewer documents if necessary, but with those that have the answer; nil if none
  /// fits.
  private mutating func sample(_ index: Int, length: Int, size: Int) -> RULERSample? {
    let question = questions[index]
    let least = question.documents.count
    let sizes = Array(stride(from: max(size, least), to: least, by: -Self.step)) + [least]
    for size in sizes {
      guard let prompt = prompt(question, size: size) else { continue }
      let tokens = countTokens(prompt) + task.tokensToGenerate
      guard tokens <= length else { continue }
      let endsWithSpace = prompt.unicodeScalars.last?.isPythonSpace ?? false
      return RULERSample(
        index: index, input: prompt, delimiter: endsWithSpace ? "" : task.delimiter,
        generationPrefix: Self.prefix, references: question.answers, length: tokens,
        maximumLength: length)
    }
    return nil
  }

  /// A prompt of some documents; nil if there are too few of them.
  private mutating func prompt(_ question: QuestionFile.Question, size: Int) -> String? {
    var order = PythonRandom(seed: Self.orderSeed)
    var chosen: [String]
    if size < documents.count {
      guard let indices = choose(size, for: question) else { return nil }
      chosen = indices.map { documents[$0] }
      order.shuffle(&chosen)
    } else {
      order.shuffle(&documents)
      chosen = documents
    }
    let context = chosen.enumerated().map { "Document \($0 + 1):\n\($1)" }
    return """
      \(Self.instruction)

      The following are given documents.

      \(context.joined(separator: "\n\n"))

      \(Self.instruction)

      Question: \(question.text)
      """
  }

  /// The documents with the answer, then others of the same article, then any others.
  private mutating func choose(_ size: Int, for question: QuestionFile.Question) -> [Int]? {
    let (own, related) = (question.documents, question.related)
    let more = size - own.count
    guard more > related.count else {
      return random.sample(below: related.count, max(0, more)).map { own + $0.map { related[$0] } }
    }
    let known = Set(own + related)
    let others = documents.indices.filter { !known.contains($0) }
    return random.sample(below: others.count, max(0, more - related.count)).map {
      own + related + $0.map { others[$0] }
    }
  }

  /// Strings as Python prints a list of them, which RULER counts as the answer.
  static func pythonList(_ texts: [String]) -> String {
    "[" + texts.map(pythonText).joined(separator: ", ") + "]"
  }

  private static func pythonText(_ text: String) -> String {
    let quote = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case "'" where quote == "'": "\\'"
      default: scalar.isPythonPrintable ? String(scalar) : Self.escape(scalar)
      }
    }
    return quote + escaped.joined() + quote
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    let (mark, width) =
      scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
    return "\\\(mark)" + String(repeating: "0", count: width - digits.count) + digits
  }
}
