import Formats
import Models

/// The questions of SQuAD or HotpotQA, and the documents that they are about, as RULER reads them.
///
/// A document that occurs several times counts once. Documents are sorted by their code points.
public struct QuestionFile: Sendable {
  struct Question: Sendable {
    var text: String
    var answers: [String]
    /// The documents with the answer.
    var documents: [Int]
    /// Documents of the same article, which are added first.
    var related: [Int] = []
  }

  let documents: [String]
  let questions: [Question]

  /// Reads the file of a task in the form in which RULER downloads it.
  /// - Throws: `ModelError` for a file of another form; `FileError`; `FormatError`.
  public init(_ path: String, for task: RULERTask) throws {
    let bytes = try FileSystem.contents(of: path)
    do {
      self = task == .squad ? try Self(squad: bytes, path) : try Self(hotpotQA: bytes, path)
    } catch let error as FormatError {
      throw error.inFile(path)
    }
    guard !questions.isEmpty else { throw ModelError.unsupported(path, "has no questions") }
  }

  // MARK: SQuAD

  /// Reads articles with paragraphs, each with its questions.
  ///
  ///     {"data": [{"paragraphs": [{"context": ..., "qas": [...]}]}]}
  private init(squad bytes: [UInt8], _ path: String) throws {
    let form = "dev-v2.0.json of SQuAD"
    let root = DatasetRow(
      json: try JSONDocument(parsing: bytes).value, path: path, place: "", expected: form)
    let articles = try root.rows("data").map { try $0.rows("paragraphs") }
    let contexts = try articles.map { try $0.map { try $0.text("context") } }
    let all = Self.sorted(contexts.flatMap(\.self))
    documents = all.documents
    questions = try zip(articles, contexts).flatMap { paragraphs, contexts in
      let article = contexts.map { all.index(of: $0) }
      return try zip(paragraphs, article).flatMap { paragraph, document in
        try paragraph.rows("qas").filter { $0.json["is_impossible"]?.flag != true }.map {
          Question(
            text: try $0.text("question"),
            answers: try $0.rows("answers").map { try $0.text("text") },
            documents: [document], related: article.filter { $0 != document })
        }
      }
    }
  }

  // MARK: HotpotQA

  /// Reads a list of questions, each with its documents.
  ///
  ///     [{"question": ..., "answer": ..., "context": [[title, [sentence, ...]], ...]}, ...]
  ///
  /// The elements are parsed one by one: all of them together would take many times the file's size
  /// in memory.
  private init(hotpotQA bytes: [UInt8], _ path: String) throws {
    let form = "hotpot_dev_distractor_v1.json of HotpotQA"
    guard let elements = JSONElements(bytes) else {
      throw ModelError.unsupported(path, "not a JSON list; the file is expected as \(form)")
    }
    let rows = try elements.enumerated().map { number, range in
      let row = DatasetRow(
        json: try JSONDocument(parsing: Array(bytes[range])).value, path: path,
        place: "element \(number + 1)", expected: form)
      return (
        question: try row.text("question"), answer: try row.text("answer"),
        documents: try Self.contexts(row)
      )
    }
    let all = Self.sorted(rows.flatMap(\.documents))
    documents = all.documents
    questions = rows.map { row in
      Question(
        text: row.question, answers: [row.answer],
        documents: row.documents.map { all.index(of: $0) })
    }
  }

  private static func contexts(_ row: DatasetRow) throws -> [String] {
    try (row.json["context"]?.elements ?? []).map { context in
      guard let parts = context.elements, parts.count == 2, let title = parts[0].text,
        let sentences = parts[1].elements?.compactMap(\.text)
      else { throw row.wrong("context", "a list of titles with lists of sentences") }
      return "\(title)\n\(sentences.joined())"
    }
  }

  // MARK: Documents

  private struct Sorted {
    var documents: [String] = []
    var places: [[UInt8]: Int] = [:]

    func index(of document: String) -> Int { places[Array(document.utf8)] ?? 0 }
  }

  /// UTF-8 sorts as code points do.
  private static func sorted(_ texts: [String]) -> Sorted {
    let all = Set(texts.map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
    return Sorted(
      documents: all.map { String(decoding: $0, as: UTF8.self) },
      places: Dictionary(uniqueKeysWithValues: zip(all, all.indices)))
  }
}
