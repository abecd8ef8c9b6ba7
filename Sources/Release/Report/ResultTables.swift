import Formats
import Verify

/// The measurements as titled tables: the same for a terminal, Markdown and HTML.
struct ResultTables {
  struct Table {
    /// The metrics that the table shows.
    var metrics: [Metric]
    var title: String
    var header: [String]
    var rows: [[String]]
  }

  let document: ResultDocument
  /// The same measurements before the patch.
  let before: ResultDocument?
  let showsPaper: Bool
  var measured: Measurements { document.measured }

  /// - Parameter showsPaper: whether the papers' rule gets a row next to the runtimes.
  init(_ document: ResultDocument, before: ResultDocument? = nil, showsPaper: Bool = true) {
    self.document = document
    self.before = before
    self.showsPaper = showsPaper
  }

  /// One table for each metric that was measured, and one for all benchmarks.
  var tables: [Table] {
    measured.metrics.filter {
      ($0 != .publishedPasskey || publishedDiffers) && !$0.isOfBenchmarks
    }.map(table) + positions + [lostPasskeys, benchmarks].compactMap(\.self)
  }

  /// The laxer score is shown only if it differs somewhere.
  private var publishedDiffers: Bool {
    measured.passkeys.contains { $0.isExact != $0.isPublished }
  }

  private func title(_ metric: Metric) -> String {
    switch metric {
    case .passkey:
      "passkeys found (exact, \(method("passkey_prompt", "longrope"))'s prompt), with 95 % interval"
    case .publishedPasskey: "passkeys found (first number of ten tokens), with 95 % interval"
    case .perplexity: "perplexity (\(method("perplexity", "truncate"))\(worstOfTexts))"
    case .perplexityRatio: "perplexity, relative to the baseline"
    case .divergence: "divergence from the baseline, nats per token"
    case .agreement: "same likeliest token as the baseline"
    case .crossing: "perplexity of tokens generated past the original window\(rotatedAgain)"
    default: "\(metric.rawValue): answers found, with 95 % interval or standard error"
    }
  }

  /// What comes out if cached keys are rotated again where the paper's rule computes them again.
  private var rotatedAgain: String {
    guard let value = measured.crossings.compactMap(\.rotatedAgain).first else { return "" }
    return " (keys only rotated again: \(value.sixDigits))"
  }

  private func method(_ name: String, _ fallback: String) -> String {
    document.method[name]?.text ?? fallback
  }

  private var worstOfTexts: String {
    let texts = document.method["texts"]?.elements?.count ?? 0
    return texts > 1 ? ", the worst of \(texts) texts" : ""
  }

  private func table(_ metric: Metric) -> Table {
    let documents = [document] + [before].compactMap(\.self)
    let lengths = Set(documents.flatMap { Self.lengths(of: metric, in: $0.measured) }).sorted()
    var rows = self.rows(metric, lengths, measured)
    if let before {
      rows += self.rows(metric, lengths, before.measured).filter { row in
        row.dropFirst().contains { $0 != "-" }
      }.map { ["before: \($0[0])"] + $0.dropFirst() }
    }
    return Table(
      metrics: [metric], title: title(metric), header: ["runtime"] + lengths.map(document.marked),
      rows: rows)
  }

  private static func lengths(of metric: Metric, in measured: Measurements) -> [Int] {
    measured.lengths.filter { length in
      measured.runtimes.contains { runtime in
        measured.partialValue(.init(metric: metric, runtime: runtime, length: length)) != nil
      }
    }
  }

  /// One row for each group of runtimes with equal cells.
  private func rows(
    _ metric: Metric, _ lengths: [Int], _ measured: Measurements
  ) -> [[String]] {
    let shown = showsPaper ? measured.runtimes : measured.comparedRuntimes
    return measured.runtimesAlike { runtime in
      guard shown.contains(runtime) else { return nil }
      return lengths.map { length in
        Self.cell(.init(metric: metric, runtime: runtime, length: length), measured)
      }
    }.map { [$0.names.joined(separator: ", ")] + $0.value }
  }

  static func percent(_ share: Double) -> String {
    "\(((share * 1000).rounded() / 10).sixDigits) %"
  }

  /// Lines about RULER's effective length; none if no task of RULER was measured.
  var effectiveLengths: [String] {
    let found = measured.runtimes.compactMap { name in
      measured.effectiveLength(name).map { (name, $0) }
    }
    guard let tasks = found.first?.1.tasks, let threshold = found.first?.1.threshold else {
      let hasRULER = measured.answers.contains { RULERTask(rawValue: $0.task) != nil }
      return hasRULER
        ? ["not known: every length needs the same tasks, measured completely"] : []
    }
    let alike = measured.runtimesAlike { name in found.first { $0.0 == name }.map(\.1.length) }
    let rows = alike.map { names, length in
      [names.joined(separator: ", "), length.map(String.init) ?? "none"]
    }
    return TextColumns.lines(rows) + [
      """
      the greatest length at which the mean of \(tasks.count) of RULER's \
      \(RULERTask.allCases.count) tasks exceeds \(threshold.sixDigits) %
      """
    ]
  }
}
