import Inference
import Models
import Numerics

/// A question about passages, in the words of HELMET (arXiv 2410.02694).
struct RAGPrompt {
  /// The most tokens of an answer, as in HELMET.
  static let tokensToGenerate = 20
  private static let instruction =
    "Use the given documents to write a concise and short answer to the question. Write your answer in the following format:\nAnswer: [answer]"
  /// The least share of a length that a prompt must have to be measured at that length.
  private static let leastShare = 0.9

  let item: RAGData.Item
  private let examples: String
  private let distractors: [QuestionFile.Document]

  /// Chooses as many distracting passages as fit a length together with those that have the answer.
  /// - Parameters:
  ///   - index: the number of the question.
  ///   - length: the length of a prompt and its answer, in tokens.
  /// - Throws: `ModelError` for a length that the question alone exceeds, and for one that all
  ///   passages of the file do not fill.
  init(
    _ data: RAGData, _ index: Int, length: Int, _ tokenizer: Tokenizer
  ) throws(ModelError) {
    func count(_ text: String) -> Int { tokenizer.encode(text).count }
    item = data.item(index)
    examples = data.examples
    let limit = length - Self.tokensToGenerate - (tokenizer.beginning == nil ? 0 : 1)
    var room = limit - count(Self.text(examples, item.supporting, item.question))
    guard room >= 0 else {
      throw ModelError.unsupported(
        TaskGrid.Task.rag.name,
        "\(length) tokens are too few: examples, question and answer alone take \(length - room); --few-shot 0 leaves out the examples"
      )
    }
    var chosen: [QuestionFile.Document] = []
    var isFull = false
    data.distractors(for: item) { passage in
      room -= count(Self.separator + Self.text(passage))
      isFull = room < 0
      if !isFull { chosen.append(passage) }
      return !isFull
    }
    // A text may have more tokens than its parts.
    while !chosen.isEmpty,
      count(Self.text(examples, item.supporting + chosen, item.question)) > limit
    {
      chosen.removeLast()
    }
    guard isFull || Double(length - room) >= Self.leastShare * Double(length) else {
      throw ModelError.unsupported(
        TaskGrid.Task.rag.name, "all passages of the file fill only \(length - room) tokens")
    }
    var random = PythonRandom(seed: item.seed)
    random.shuffle(&chosen)
    distractors = chosen
  }

  /// The text with the supporting passages at a depth: 0 is before all others, 1 after them.
  func text(depth: Double) -> String {
    let before = Int((depth * Double(distractors.count)).rounded())
    let passages = distractors[..<before] + item.supporting + distractors[before...]
    return Self.text(examples, Array(passages), item.question)
  }

  // MARK: Wording

  private static let separator = "\n\n"

  /// A whole prompt.
  static func text(
    _ examples: String, _ passages: [QuestionFile.Document], _ question: String
  ) -> String {
    instruction + separator + examples + self.question(question, about: passages)
  }

  /// What stands before another question as an example.
  static func example(
    _ question: String, about passages: [QuestionFile.Document], answer: String
  ) -> String {
    self.question(question, about: passages) + " " + answer + separator
  }

  /// Passages and a question, up to the answer.
  private static func question(_ question: String, about passages: [QuestionFile.Document])
    -> String
  {
    (passages.map(text) + ["Question: \(question)\nAnswer:"]).joined(separator: separator)
  }

  private static func text(_ passage: QuestionFile.Document) -> String {
    "Document (Title: \(passage.title)): \(passage.paragraph)"
  }
}
