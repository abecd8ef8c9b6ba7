import Formats
import Models
import Numerics

/// Chooses the examples before each question, as lm-eval's samplers do.
struct ExampleSampler {
  /// lm-eval's `fewshot_random_seed`.
  private static let seed: UInt64 = 1234

  private let file: DatasetFile
  private let count: Int
  private var random = PythonRandom(seed: Self.seed)

  /// - Throws: `ModelError` for a file with fewer examples than are drawn.
  init(_ file: DatasetFile, count: Int, spare: Int) throws {
    guard file.count >= count + spare else {
      throw ModelError.unsupported(
        file.path,
        "has \(file.count) rows, expected at least \(count + spare) to draw examples from"
      )
    }
    (self.file, self.count) = (file, count)
  }

  /// Draws examples for the next question.
  mutating func draw() -> [Int] { random.sample(below: file.count, count) ?? [] }

  /// Draws examples for the next question, none of which is the question itself.
  ///
  /// One more is drawn and left out again, so that there are enough if one is the question. If more
  /// of them are, lm-eval draws again, from the others.
  mutating func draw(otherThan question: JSONValue) throws -> [Int] {
    let isOther = { (index: Int) in try !file.row(index).json.means(question) }
    let others = try (random.sample(below: file.count, count + 1) ?? []).filter(isOther)
    if others.count >= count { return Array(others.prefix(count)) }
    let pool = try (0..<file.count).filter(isOther)
    guard let drawn = random.sample(below: pool.count, count) else {
      throw ModelError.unsupported(
        file.path, "has only \(pool.count) rows that differ from a question, expected \(count)")
    }
    return drawn.map { pool[$0] }
  }
}
