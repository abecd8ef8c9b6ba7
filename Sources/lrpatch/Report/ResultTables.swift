import Formats
import Patch
import Verify

/// What was measured, as titled tables: the same for a terminal, Markdown and HTML.
struct ResultTables {
  struct Table {
    var metric: Metric
    var title: String
    var header: [String]
    var rows: [[String]]
  }

  let document: ResultDocument
  private var measured: Measurements { document.measured }

  var tables: [Table] {
    measured.metrics.filter { $0 != .publishedPasskey || publishedDiffers }.map(table)
  }

  /// The laxer score is shown where it says something else.
  private var publishedDiffers: Bool { measured.passkeys.contains { $0.isExact != $0.isPublished } }

  private func title(_ metric: Metric) -> String {
    let texts = document.method["texts"]?.elements?.count ?? 0
    return switch metric {
    case .passkey: "passkeys found (exact, \(document.method["passkey_prompt"]?.text ?? "longrope")'s prompt)"
    case .publishedPasskey: "passkeys found (first number of ten tokens)"
    case .perplexity:
      "perplexity (\(document.method["perplexity"]?.text ?? "truncate")\(texts > 1 ? ", the worst of \(texts) texts" : ""))"
    case .perplexityRatio: "perplexity, of that of the baseline"
    case .divergence: "divergence from the baseline, nats a token"
    case .agreement: "same likeliest token as the baseline"
    case .crossing: "perplexity of tokens generated past the original window"
    default: "\(metric.rawValue): answers found"
    }
  }

  private func table(_ metric: Metric) -> Table {
    let lengths = measured.lengths.filter { length in
      measured.runtimes.contains { measured.partialValue(.init(metric: metric, runtime: $0, length: length)) != nil }
    }
    return Table(
      metric: metric, title: title(metric),
      header: ["runtime"] + lengths.map { $0 > measured.originalWindow ? "\($0) *" : String($0) },
      rows: measured.runtimes.map { runtime in
        [runtime] + lengths.map { cell(.init(metric: metric, runtime: runtime, length: $0)) }
      })
  }

  private func cell(_ place: Measurements.Place) -> String {
    guard let value = measured.partialValue(place) else { return "-" }
    let isPartial = measured.missing[place] != nil
    return shown(value, place) + (isPartial ? " (partly)" : "")
  }

  private func shown(_ value: Double, _ place: Measurements.Place) -> String {
    switch place.metric {
    case .perplexity:
      let error = measured.perplexities.map(\.result)
        .first { $0.runtime == place.runtime && $0.length == place.length && $0.value == value }?.standardError
      return InspectReport.number(value) + (error.map { " ± \(InspectReport.number($0))" } ?? "")
    case .perplexityRatio, .divergence, .crossing: return InspectReport.number(value)
    default: return "\(InspectReport.number((value * 1000).rounded() / 10)) %"
    }
  }

  /// Lines about RULER's effective length.
  var effectiveLengths: [String] {
    let found = measured.runtimes.compactMap { name in measured.effectiveLength(name).map { (name, $0) } }
    guard let tasks = found.first?.1.tasks, let threshold = found.first?.1.threshold else {
      let hasRULER = measured.answers.contains { $0.task != "niah" }
      return hasRULER ? ["not known: it takes the same tasks, completely measured, at every length"] : []
    }
    let rows = found.map { name, effective in [name, effective.length.map(String.init) ?? "none"] }
    return InspectReport.columns(rows)
      + ["the greatest length whose mean of \(tasks.count) of 13 tasks exceeds \(InspectReport.number(threshold)) %"]
  }

  static func place(_ verdict: Verdict) -> String {
    verdict.worst.map { "\(InspectReport.number($0)), \(verdict.place)" } ?? verdict.place
  }

  // MARK: For a terminal

  var text: String {
    var sections: [[String]] = tables.map { table in
      [table.title] + InspectReport.columns([table.header] + table.rows).map { "  " + $0 }
    }
    sections += ResultPlots(measured: measured).sections
    let effective = document.shard == nil ? effectiveLengths : []
    if !effective.isEmpty { sections.append(["effective length"] + effective.map { "  " + $0 }) }
    if !measured.skipped.isEmpty {
      sections.append(
        ["not measured"] + measured.skipped.map { "  \($0.task) at \($0.length): \($0.reason)" })
    }
    if !document.verdicts.isEmpty {
      sections.append(
        document.verdicts.map { verdict in
          let word = Terminal.output.coloured(verdict.passes ? "passed" : "FAILED", verdict.passes ? .green : .red)
          return "\(word)  \(verdict.gate.text)  (\(Self.place(verdict)))"
        })
    }
    return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
  }
}
