import Formats
import Verify

/// The single prompts of a result, for lists and tables.
struct ResultCells {
  /// One prompt and what a runtime answered.
  struct Cell {
    var task: String
    var runtime: String
    /// Nil for benchmarks.
    var length: Int?
    /// From 0 to 1; nil for tasks without depths.
    var depth: Double?
    var sample: Int
    /// The share of what was expected, from 0 to 1.
    var score: Double
    var expected: String
    /// Nil if it was not decoded.
    var answer: String?
    var promptTail: String?
  }

  let all: [Cell]
  /// The questions of benchmarks, of which even a good model answers many wrongly.
  private let questions: [Cell]

  init(_ measured: Measurements) {
    let passkeys = measured.passkeys.map { result in
      Cell(
        task: "passkey", runtime: result.runtime, length: result.cell.length,
        depth: result.cell.depth, sample: result.cell.sample, score: result.isExact ? 1 : 0,
        expected: String(result.key), answer: result.isExact ? String(result.key) : result.answer,
        promptTail: result.promptTail)
    }
    let answers = measured.answers.map { result in
      Cell(
        task: result.task, runtime: result.runtime, length: result.cell.length,
        depth: result.depth, sample: result.cell.sample,
        score: result.score, expected: result.references.joined(separator: ", "),
        answer: result.output, promptTail: result.promptTail)
    }
    all = passkeys + answers
    questions = measured.benchmarks.flatMap { result in
      result.documents.map { document in
        Cell(
          task: result.benchmark.name, runtime: result.runtime, sample: document.number,
          score: document.answer.scores[0], expected: document.target,
          answer: document.answer.given)
      }
    }
  }

  // MARK: A list of what was not found

  private static let mostListed = 5
  private static let longestText = 60

  /// Lines about the first prompts that were not answered, each once for all runtimes that failed
  /// alike; empty if there are none.
  var failures: [String] {
    var groups: [(cell: Cell, runtimes: [String])] = []
    for cell in all where cell.score < 1 {
      if let index = groups.firstIndex(where: { $0.cell.isSame(as: cell) }) {
        groups[index].runtimes.append(cell.runtime)
      } else {
        groups.append((cell, [cell.runtime]))
      }
    }
    guard !groups.isEmpty else { return [] }
    let lines = groups.prefix(Self.mostListed).flatMap { Self.lines($0.cell, $0.runtimes) }
    let rest = groups.count - Self.mostListed
    return lines + (rest > 0 ? ["and \(rest) more: -o and --csv have all of them"] : [])
  }

  private static func lines(_ cell: Cell, _ runtimes: [String]) -> [String] {
    let depth = cell.depth.map { ", depth \((($0 * 1000).rounded() / 10).sixDigits) %" } ?? ""
    let place =
      "\(cell.task)\(cell.length.map { " at \($0)" } ?? "")\(depth), sample \(cell.sample)"
    let answer = cell.answer.map { "'\(shortened($0, fromEnd: false))'" } ?? "not decoded"
    let tail = cell.promptTail.map { "'...\(shortened($0, fromEnd: true))' -> " } ?? ""
    return [
      "\(place): \(runtimes.joined(separator: ", "))",
      "  \(tail)\(answer), expected '\(shortened(cell.expected, fromEnd: false))'",
    ]
  }

  private static func shortened(_ text: String, fromEnd: Bool) -> String {
    let visible = text.replacing("\n", with: "\\n").visible
    guard visible.count > longestText else { return visible }
    return String(fromEnd ? visible.suffix(longestText) : visible.prefix(longestText))
  }

  // MARK: CSV

  /// The first line of a CSV file.
  static let header = "task,runtime,length,depth,sample,score,expected,answer,prompt_tail"

  /// The cells as CSV.
  var csv: String {
    let rows = (all + questions).map { cell in
      CSV.line([
        cell.task, cell.runtime, cell.length.map(String.init) ?? "",
        cell.depth.map { "\($0)" } ?? "",
        String(cell.sample), "\(cell.score)", cell.expected, cell.answer ?? "",
        cell.promptTail ?? "",
      ])
    }
    return ([Self.header] + rows).joined(separator: "\n") + "\n"
  }
}

extension ResultCells.Cell {
  /// Whether both are the same prompt with the same answer.
  fileprivate func isSame(as other: Self) -> Bool {
    task == other.task && length == other.length && depth == other.depth
      && sample == other.sample && answer == other.answer && expected == other.expected
  }
}
