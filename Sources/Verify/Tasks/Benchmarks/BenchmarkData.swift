import Formats
import Models

/// The questions of a benchmark with the examples before each, read and checked.
struct BenchmarkData: Sendable {
  struct Item: Sendable {
    /// The number of the row in its file, from 0.
    var number: Int
    /// The line in the file, for errors.
    var place: String
    var question: BenchmarkQuestion
    /// Rows of the examples.
    var examples: [Int]
  }

  let benchmark: Benchmark
  /// The file of the questions.
  let path: String
  /// The number of examples before each question.
  let shots: Int
  /// Questions about the same subject stand together.
  let items: [Item]
  /// The examples as texts, by their rows.
  private let examples: [Int: String]
  /// The SHA-256 of the prompts and choices of all questions, in order.
  private(set) var digest = ""

  /// - Parameter limit: the most questions of each subject, the first ones; nil for all.
  /// - Throws: `OptionError` for a missing file of examples; `ModelError` for a row that is not one
  ///   of the benchmark; `FileError`; `FormatError`.
  init(_ benchmark: Benchmark, _ source: BenchmarkSource, limit: Int?) throws {
    let file = try DatasetFile(source.data, expected: benchmark.rows)
    var items = try Self.items(file, benchmark, limit: limit)
    self.benchmark = benchmark
    path = source.data
    shots = source.shots ?? benchmark.defaultShots
    guard shots > 0 else {
      try OptionError.require(
        source.examples == nil || source.shots == 0,
        "examples for \(benchmark.name) are given but none are asked for; add --few-shot \(benchmark.name)=N"
      )
      (self.items, examples) = (items, [:])
      digest = promptDigest
      return
    }
    if case .none = benchmark.examples {
      throw OptionError(
        "\(benchmark.name) takes no --few-shot, because examples are part of its prompt")
    }
    guard let path = source.examples else {
      throw OptionError(
        """
        \(benchmark.name) with \(shots) examples before each question needs their file: \
        --few-shot-data \(benchmark.name)=FILE, or --few-shot \(benchmark.name)=0
        """)
    }
    let pool = try DatasetFile(path, expected: benchmark.rows)
    try Self.choose(shots, from: pool, for: &items, file, benchmark.examples, benchmark)
    let rows = Set(items.flatMap(\.examples))
    let texts = try rows.map { ($0, try benchmark.question(pool.row($0)).example) }
    examples = Dictionary(uniqueKeysWithValues: texts)
    self.items = items
    digest = promptDigest
  }

  /// What stands before a question: the introduction and the examples.
  func beginning(_ item: Item) -> String {
    item.examples.reduce(item.question.introduction) { $0 + (examples[$1] ?? "") }
  }

  /// About how many tokens are computed for a question.
  ///
  /// Prose has four bytes in a token.
  func estimatedTokens(_ item: Item) -> Int {
    let isShared = if case .first = benchmark.examples { true } else { false }
    let texts = (isShared ? [] : [beginning(item)]) + Array(item.question.contexts.uniqued)
    let bytes = (texts + item.question.continuations).reduce(0) { $0 + $1.utf8.count }
    if case .open = item.question.form { return bytes / 4 + SolutionNumber.mostTokens }
    return bytes / 4 + 1
  }

  private var promptDigest: String {
    let each = items.map { item in
      let texts = [beginning(item)] + item.question.contexts + item.question.continuations
      return sha256(Array(texts.joined(separator: "\0").utf8))
    }
    return sha256(Array(each.joined().utf8))
  }

  // MARK: Reading

  private static func items(
    _ file: DatasetFile, _ benchmark: Benchmark, limit: Int?
  ) throws -> [Item] {
    var subjects: [String] = []
    var groups: [String: [Item]] = [:]
    for number in 0..<file.count {
      let row = try file.row(number)
      let question = try benchmark.question(row)
      if groups[question.subject] == nil { subjects.append(question.subject) }
      guard groups[question.subject, default: []].count < limit ?? .max else { continue }
      groups[question.subject, default: []].append(
        Item(number: number, place: row.place, question: question, examples: []))
    }
    return subjects.flatMap { groups[$0] ?? [] }
  }

  private static func choose(
    _ shots: Int, from pool: DatasetFile, for items: inout [Item], _ file: DatasetFile,
    _ examples: Benchmark.Examples, _ benchmark: Benchmark
  ) throws {
    switch examples {
    case .none: break
    case .first:
      let subjects = try (0..<pool.count).map { try benchmark.question(pool.row($0)).subject }
      for index in items.indices {
        let subject = items[index].question.subject
        let rows = subjects.indices.filter { subjects[$0] == subject }.prefix(shots)
        guard rows.count == shots else {
          throw ModelError.unsupported(
            pool.path, "has \(rows.count) rows of '\(subject.sanitized)', expected \(shots)")
        }
        items[index].examples = Array(rows)
      }
    case .drawn(let others):
      var sampler = try ExampleSampler(pool, count: shots, spare: others ? 1 : 0)
      for index in items.indices {
        items[index].examples =
          others
          ? try sampler.draw(otherThan: file.row(items[index].number).json) : sampler.draw()
      }
    }
  }
}
