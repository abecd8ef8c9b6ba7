import Models
import Numerics

/// Questions, the passages with their answers, and passages that only distract from them.
///
/// This is retrieval-augmented generation without a retriever: the passages that distract are those
/// that the dataset itself gives with a question, then others of the file.
struct RAGData: Sendable {
  /// As many as HELMET shows.
  private static let defaultShots = 2
  /// The passages of an example, as in HELMET.
  private static let passagesOfExample = 3

  /// A question with its passages, and what may stand around them.
  struct Item: Sendable {
    var question: String
    var answers: [String]
    /// The passages with the answer, which stand together.
    var supporting: [QuestionFile.Document]
    /// Passages of the same article or of the same search, shuffled; none has the answer.
    var near: [QuestionFile.Document]
    /// The seed of everything that is drawn for this question.
    var seed: UInt64
    /// The number of the question in its file.
    fileprivate var number: Int
  }

  /// The examples before each question, as text.
  let examples: String
  /// The order in which questions are asked.
  private let questions: [Int]
  private let file: QuestionFile
  private let seed: UInt64

  /// The number of questions that can be asked.
  var count: Int { questions.count }

  /// Reads the questions, and the examples from a file of their own or from among the questions.
  /// - Throws: `ModelError` for a file of another form or with too few questions; `FileError`.
  init(_ source: BenchmarkSource, seed: UInt64) throws {
    self.seed = seed
    file = try QuestionFile(source.data)
    var (exampleFile, order) = (file, try Self.order(file, source.data, seed: seed))
    let wanted = source.shots ?? Self.defaultShots
    var shown = Array(order.prefix(wanted))
    if let path = source.examples, path != source.data {
      exampleFile = try QuestionFile(path)
      shown = Array(try Self.order(exampleFile, path, seed: seed).prefix(wanted))
    } else {
      order.removeFirst(shown.count)
    }
    guard shown.count == wanted, !order.isEmpty else {
      throw ModelError.unsupported(
        source.examples ?? source.data,
        "has too few questions for \(wanted) examples and a question to ask")
    }
    examples = shown.map { Self.example(Self.item($0, of: exampleFile, seed: seed)) }.joined()
    questions = order
  }

  /// The questions whose answers and supporting passages are known, shuffled.
  private static func order(_ file: QuestionFile, _ path: String, seed: UInt64) throws -> [Int] {
    var order = file.questions.indices.filter {
      !file.questions[$0].supporting.isEmpty && !answers(file.questions[$0]).isEmpty
    }
    guard !order.isEmpty else {
      throw ModelError.unsupported(path, "does not say which passages have the answers")
    }
    var random = PythonRandom(seed: seed)
    random.shuffle(&order)
    return order
  }

  /// The answers that can be told from no answer: of "the" nothing is left to look for.
  private static func answers(_ question: QuestionFile.Question) -> [String] {
    question.answers.filter { !RAGAnswer.normalized($0).isEmpty }
  }

  /// A question of those that are asked, from 0 to `count` - 1.
  func item(_ index: Int) -> Item { Self.item(questions[index], of: file, seed: seed) }

  private static func item(_ number: Int, of file: QuestionFile, seed: UInt64) -> Item {
    let question = file.questions[number]
    let answers = answers(question)
    var near = (question.documents + question.related).filter {
      !question.supporting.contains($0)
        && !RAGAnswer.isGiven(answers, by: file.documents[$0].paragraph)
    }
    let seed = seed &+ UInt64(number)
    var random = PythonRandom(seed: seed)
    random.shuffle(&near)
    return Item(
      question: question.text, answers: answers,
      supporting: question.supporting.map { file.documents[$0] },
      near: near.map { file.documents[$0] }, seed: seed, number: number)
  }

  private static func example(_ item: Item) -> String {
    let others = item.near.prefix(max(0, passagesOfExample - item.supporting.count))
    var passages = item.supporting + others
    var random = PythonRandom(seed: item.seed)
    random.shuffle(&passages)
    return RAGPrompt.example(item.question, about: passages, answer: item.answers[0])
  }

  /// Gives the passages that distract from a question, the nearer ones first.
  /// - Parameter take: called with each until it returns false.
  func distractors(for item: Item, while take: (QuestionFile.Document) -> Bool) {
    guard item.near.allSatisfy(take) else { return }
    let question = file.questions[item.number]
    let known = Set(question.documents + question.related)
    var others = file.documents.indices.filter { !known.contains($0) }
    var random = PythonRandom(seed: item.seed)
    random.shuffle(&others)
    for number in others {
      let passage = file.documents[number]
      if RAGAnswer.isGiven(item.answers, by: passage.paragraph) { continue }
      guard take(passage) else { return }
    }
  }
}
