import Formats
import Models

/// The questions of SQuAD or HotpotQA, and the documents that they are about, as RULER reads them.
///
/// A document that occurs several times counts once. Documents are sorted by their code points.
public struct QuestionFile: Sendable {
  struct Question: Sendable {
    var text: String
    var answers: [String]
    /// The documents that the dataset gives with the question.
    var documents: [Int]
    /// Those of them that have the answer.
    var supporting: [Int]
    /// Documents of the same article, which are added first.
    var related: [Int] = []
  }

  /// A paragraph of an article.
  struct Document: Hashable, Sendable {
    /// The title of the article; empty if the file has none.
    var title: String
    var paragraph: String
    /// What RULER shows.
    var text: String
  }

  /// The datasets that can be read, in the form in which RULER downloads them.
  enum Form: String {
    case squad = "dev-v2.0.json of SQuAD"
    case hotpotQA = "hotpot_dev_distractor_v1.json of HotpotQA"
  }

  let documents: [Document]
  let questions: [Question]

  /// Reads the file of a task.
  /// - Throws: `ModelError` for a file of another form; `FileError`.
  public init(_ path: String, for task: RULERTask) throws {
    try self.init(
      path, FileSystem.contents(of: path), task == .squad ? .squad : .hotpotQA)
  }

  /// Reads a file of either form.
  /// - Throws: `ModelError` for a file of another form; `FileError`.
  public init(_ path: String) throws {
    let bytes = try FileSystem.contents(of: path)
    let isList = JSONElements(bytes) != nil
    try self.init(path, bytes, isList ? .hotpotQA : .squad)
  }

  private init(_ path: String, _ bytes: [UInt8], _ form: Form) throws {
    do {
      switch form {
      case .squad: self = try Self(squad: bytes, path)
      case .hotpotQA: self = try Self(hotpotQA: bytes, path)
      }
    } catch let error as FormatError {
      // Most often JSON lines, or another dataset.
      throw ModelError.unsupported(path, "\(error); the file is expected as \(form.rawValue)")
    }
    guard !questions.isEmpty else { throw ModelError.unsupported(path, "has no questions") }
  }

  // MARK: SQuAD

  /// Reads articles with paragraphs, each with its questions.
  ///
  ///     {"data": [{"title": ..., "paragraphs": [{"context": ..., "qas": [...]}]}]}
  private init(squad bytes: [UInt8], _ path: String) throws {
    let root = DatasetRow(
      json: try JSONDocument(parsing: bytes).value, path: path, place: "",
      expected: Form.squad.rawValue)
    let articles = try root.rows("data").map { article in
      let title = article.json["title"]?.text ?? ""
      return try article.rows("paragraphs").map { row in
        let text = try row.text("context")
        return (row: row, document: Document(title: title, paragraph: text, text: text))
      }
    }
    let all = Sorted(articles.flatMap { $0.map(\.document) })
    documents = all.documents
    questions = try articles.flatMap { paragraphs in
      let article = paragraphs.map { all.index(of: $0.document) }
      return try zip(paragraphs, article).flatMap { paragraph, document in
        try paragraph.row.rows("qas").filter { $0.json["is_impossible"]?.flag != true }.map {
          Question(
            text: try $0.text("question"),
            answers: try $0.rows("answers").map { try $0.text("text") },
            documents: [document], supporting: [document],
            related: article.filter { $0 != document })
        }
      }
    }
  }

  // MARK: HotpotQA

  /// Reads a list of questions, each with its documents.
  ///
  ///     [{"question": ..., "answer": ..., "context": [[title, [sentence, ...]], ...],
  ///       "supporting_facts": [[title, ...], ...]}, ...]
  ///
  /// The elements are parsed one by one: all of them together would take many times the file's size
  /// in memory.
  private init(hotpotQA bytes: [UInt8], _ path: String) throws {
    let form = Form.hotpotQA.rawValue
    guard let elements = JSONElements(bytes) else {
      throw ModelError.unsupported(path, "not a JSON list; the file is expected as \(form)")
    }
    let rows = try elements.enumerated().map { number, range in
      let row = DatasetRow(
        json: try JSONDocument(parsing: Array(bytes[range])).value, path: path,
        place: "element \(number + 1)", expected: form)
      let facts = row.json["supporting_facts"]?.elements ?? []
      return (
        question: try row.text("question"), answer: try row.text("answer"),
        documents: try Self.contexts(row), titles: facts.compactMap { $0.elements?.first?.text }
      )
    }
    let all = Sorted(rows.flatMap(\.documents))
    documents = all.documents
    questions = rows.map { row in
      Question(
        text: row.question, answers: [row.answer],
        documents: row.documents.map { all.index(of: $0) },
        supporting: row.documents.filter { row.titles.contains($0.title) }.map {
          all.index(of: $0)
        })
    }
  }

  private static func contexts(_ row: DatasetRow) throws -> [Document] {
    try (row.json["context"]?.elements ?? []).map { context in
      guard let parts = context.elements, parts.count == 2, let title = parts[0].text,
        let sentences = parts[1].elements?.compactMap(\.text)
      else { throw row.wrong("context", "a list of titles with lists of sentences") }
      let paragraph = sentences.joined()
      return Document(title: title, paragraph: paragraph, text: "\(title)\n\(paragraph)")
    }
  }

  // MARK: Documents

  /// Different documents in the order of the code points of their text, which is that of UTF-8.
  private struct Sorted {
    private(set) var documents: [Document]
    private var places: [[UInt8]: Int]

    init(_ all: [Document]) {
      let first = Dictionary(all.map { (Array($0.text.utf8), $0) }) { first, _ in first }
      let keys = first.keys.sorted { $0.lexicographicallyPrecedes($1) }
      documents = keys.compactMap { first[$0] }
      places = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
    }

    func index(of document: Document) -> Int { places[Array(document.text.utf8)] ?? 0 }
  }
}
