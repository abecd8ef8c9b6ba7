import Formats
import Verify

extension ResultDocument {
  /// What was not measured, one sentence each: what was planned, what a model card would lack, and
  /// runtimes that were not followed.
  var gaps: [String] { planned + lengthsBeyond + tasks + runtimesNotFollowed }

  private var planned: [String] {
    let skipped = measured.skipped.map { "\($0.task) at \($0.length) tokens: \($0.reason)." }
    guard !measured.missing.isEmpty else { return skipped }
    let known = Set(measured.skipped.map { "\($0.task) at \($0.length)" })
    let places = Set(measured.missing.keys.map { "\($0.metric.rawValue) at \($0.length)" })
      .subtracting(known).sorted()
    return skipped
      + (places.isEmpty ? [] : ["Planned, but not completed: \(places.joined(separator: ", "))."])
  }

  private var lengthsBeyond: [String] {
    guard let window, let longest = measured.lengths.last, longest < window else { return [] }
    return ["Lengths from \(longest + 1) up to the window of \(window) tokens."]
  }

  private var tasks: [String] {
    let rulers = RULERTask.allCases.filter { task in
      measured.answers.contains { $0.task == task.rawValue }
    }
    let kinds = [
      ("passkeys", measured.passkeys.isEmpty), ("perplexity", measured.perplexities.isEmpty),
      (
        "retention of short inputs, compared with the model before its patch",
        measured.retentions.isEmpty
      ),
      ("benchmarks", measured.benchmarks.isEmpty), ("RULER", rulers.isEmpty),
      ("generation across the original window", measured.crossings.isEmpty),
    ]
    let absent = kinds.filter(\.1).map(\.0)
    let others = RULERTask.allCases.filter { !rulers.contains($0) }.map(\.rawValue)
    return (absent.isEmpty ? [] : ["Not asked for: \(absent.joined(separator: ", "))."])
      + (rulers.isEmpty || others.isEmpty
        ? []
        : [
          "Of RULER's \(RULERTask.allCases.count) tasks not asked for: \(others.joined(separator: ", "))."
        ])
  }

  /// One sentence for each reason.
  private var runtimesNotFollowed: [String] {
    let reasons = unfollowed.map(\.reason).uniqued
    return reasons.map { reason in
      let names = unfollowed.filter { $0.reason == reason }.map(\.runtime)
      return "As in \(names.joined(separator: ", ")): \(reason)."
    }
  }
}
