import Formats
import Verify

/// A repeated measurement and the certified one.
struct ReplayComparison {
  /// The numbers that were compared: prompts, questions, perplexities, comparisons with a baseline.
  private(set) var compared = 0
  /// What differs by more than the tolerance allows, in words.
  private(set) var differences: [String] = []
  private let tolerance: Tolerance
  private var answers = 0
  private var others: [String] = []

  /// - Parameters:
  ///   - new: what was measured again, all of it or a part.
  ///   - old: the certified measurements.
  init(_ new: Measurements, _ old: Measurements, _ tolerance: Tolerance) {
    self.tolerance = tolerance
    comparePasskeys(new, old)
    compareAnswers(new, old)
    compareBenchmarks(new, old)
    comparePerplexities(new, old)
    compareRetentions(new, old)
    for item in new.crossings {
      let name = "crossing of \(item.runtime)"
      guard let known = old.crossings.first(where: { $0.runtime == item.runtime }) else {
        unknown(name)
        continue
      }
      compareRatio(name, item.perplexity, known.perplexity)
    }
    let allowed = Int(Double(answers) * tolerance.answers)
    if others.count > allowed {
      differences +=
        others.prefix(Self.mostListed)
        + (others.count > Self.mostListed
          ? ["and \(others.count - Self.mostListed) more answers differ"] : [])
    }
  }

  private static let mostListed = 5

  private mutating func unknown(_ name: String) {
    differences.append("\(name): is not in the certificate")
  }

  private mutating func compareRatio(_ name: String, _ new: Double, _ old: Double) {
    compared += 1
    // A number that is not one differs from every other.
    guard !((new / old - 1).magnitude <= tolerance.perplexity) else { return }
    differences.append(
      "\(name): \(new.rounded(toError: new / 1000)), the certificate says \(old.rounded(toError: old / 1000))"
    )
  }

  private mutating func compareDifference(
    _ name: String, _ new: Double, _ old: Double, _ limit: Double
  ) {
    compared += 1
    guard !((new - old).magnitude <= limit) else { return }
    differences.append("\(name): \(new.sixDigits), the certificate says \(old.sixDigits)")
  }

  // MARK: Answers

  private mutating func compareAnswer(_ name: String, isSame: Bool) {
    compared += 1
    answers += 1
    if !isSame { others.append(name) }
  }

  private mutating func comparePasskeys(_ new: Measurements, _ old: Measurements) {
    for item in new.passkeys {
      let name =
        "passkey of \(item.runtime) at \(item.cell.length), depth \(item.cell.depth.sixDigits), sample \(item.cell.sample)"
      let known = old.passkeys.first { $0.runtime == item.runtime && $0.cell == item.cell }
      guard let known, known.key == item.key else {
        unknown(name)
        continue
      }
      let verdict = item.isExact ? "found" : "not found"
      compareAnswer(
        "\(name): \(verdict), the certificate says \(known.isExact ? "found" : "not found")",
        isSame: known.isExact == item.isExact)
    }
  }

  private mutating func compareAnswers(_ new: Measurements, _ old: Measurements) {
    for item in new.answers {
      let name =
        "\(item.task) of \(item.runtime) at \(item.cell.length), depth \(item.cell.depth.sixDigits), sample \(item.cell.sample)"
      let known = old.answers.first {
        $0.task == item.task && $0.runtime == item.runtime && $0.cell == item.cell
      }
      guard let known, known.references == item.references else {
        unknown(name)
        continue
      }
      compareAnswer(
        "\(name): score \(item.score.sixDigits), the certificate says \(known.score.sixDigits)",
        isSame: (known.score - item.score).magnitude < 1e-9)
    }
  }

  private mutating func compareBenchmarks(_ new: Measurements, _ old: Measurements) {
    for item in new.benchmarks {
      let known = old.benchmarks.first {
        $0.benchmark == item.benchmark && $0.runtime == item.runtime
      }
      guard let known, known.promptDigest == item.promptDigest, known.shots == item.shots else {
        unknown("\(item.benchmark.name) of \(item.runtime) with these questions")
        continue
      }
      for document in item.documents {
        let name = "\(item.benchmark.name) of \(item.runtime), question \(document.number)"
        guard let other = known.documents.first(where: { $0.number == document.number }) else {
          unknown(name)
          continue
        }
        compareAnswer(
          "\(name): \(document.answer.given), the certificate says \(other.answer.given)",
          isSame: document.answer.scores == other.answer.scores)
      }
    }
  }

  // MARK: Texts

  private mutating func comparePerplexities(_ new: Measurements, _ old: Measurements) {
    for item in new.perplexities.map(\.result) {
      let name = "perplexity of \(item.runtime) at \(item.length)"
      let known = old.perplexities.map(\.result).filter {
        $0.runtime == item.runtime && $0.length == item.length
      }
      // A file may have moved, so texts are known by what is scored.
      guard let same = known.first(where: { $0.digest == item.digest }) else {
        differences.append("\(name): other tokens were scored than the certificate says")
        continue
      }
      compareRatio(name, item.value, same.value)
    }
  }

  private mutating func compareRetentions(_ new: Measurements, _ old: Measurements) {
    for item in new.retentions {
      let name = "retention of \(item.runtime) at \(item.length)"
      let known = old.retentions.first {
        $0.runtime == item.runtime && $0.length == item.length
      }
      guard let known, known.tokens == item.tokens else {
        unknown(name)
        continue
      }
      compareRatio("\(name), perplexity ratio", item.ratio, known.ratio)
      compareDifference(
        "\(name), divergence", item.divergence, known.divergence, tolerance.divergence)
      compareDifference(
        "\(name), same tokens", item.agreement, known.agreement, tolerance.agreement)
    }
  }
}
