import Formats
import Verify

/// The measurements as titled tables: the same for a terminal, Markdown and HTML.
struct ResultTables {
  struct Table {
    var metric: Metric
    var title: String
    var header: [String]
    var rows: [[String]]
  }

  private let document: ResultDocument
  private var measured: Measurements { document.measured }

  init(_ document: ResultDocument) { self.document = document }

  /// One table for each metric that was measured.
  var tables: [Table] {
    measured.metrics.filter { $0 != .publishedPasskey || publishedDiffers }.map(table)
  }

  /// The laxer score is shown only if it differs somewhere.
  private var publishedDiffers: Bool {
    measured.passkeys.contains { $0.isExact != $0.isPublished }
  }

  private func title(_ metric: Metric) -> String {
    switch metric {
    case .passkey: "passkeys found (exact, \(method("passkey_prompt", "longrope"))'s prompt)"
    case .publishedPasskey: "passkeys found (first number of ten tokens)"
    case .perplexity: "perplexity (\(method("perplexity", "truncate"))\(worstOfTexts))"
    case .perplexityRatio: "perplexity, relative to the baseline"
    case .divergence: "divergence from the baseline, nats per token"
    case .agreement: "same likeliest token as the baseline"
    case .crossing: "perplexity of tokens generated past the original window"
    default: "\(metric.rawValue): answers found"
    }
  }

  private func method(_ name: String, _ fallback: String) -> String {
    document.method[name]?.text ?? fallback
  }

  private var worstOfTexts: String {
    let texts = document.method["texts"]?.elements?.count ?? 0
    return texts > 1 ? ", the worst of \(texts) texts" : ""
  }

  private func table(_ metric: Metric) -> Table {
    func place(_ runtime: String, _ length: Int) -> Measurements.Place {
      .init(metric: metric, runtime: runtime, length: length)
    }
    let lengths = measured.lengths.filter { length in
      measured.runtimes.contains { measured.partialValue(place($0, length)) != nil }
    }
    return Table(
      metric: metric, title: title(metric),
      header: ["runtime"] + lengths.map { $0 > measured.originalWindow ? "\($0) *" : String($0) },
      rows: measured.runtimes.map { runtime in
        [runtime] + lengths.map { cell(place(runtime, $0)) }
      })
  }

  private func cell(_ place: Measurements.Place) -> String {
    guard let value = measured.partialValue(place) else { return "-" }
    let isPartial = measured.missing[place] != nil
    return shown(value, place) + (isPartial ? " (incomplete)" : "")
  }

  private func shown(_ value: Double, _ place: Measurements.Place) -> String {
    switch place.metric {
    case .perplexity:
      let error = measured.perplexities.map(\.result).first {
        $0.runtime == place.runtime && $0.length == place.length && $0.value == value
      }?.standardError
      return value.sixDigits + (error.map { " ± \($0.sixDigits)" } ?? "")
    case .perplexityRatio, .divergence, .crossing: return value.sixDigits
    default: return "\(((value * 1000).rounded() / 10).sixDigits) %"
    }
  }

  /// Lines about RULER's effective length; none if no task of RULER was measured.
  var effectiveLengths: [String] {
    let found = measured.runtimes.compactMap { name in
      measured.effectiveLength(name).map { (name, $0) }
    }
    guard let tasks = found.first?.1.tasks, let threshold = found.first?.1.threshold else {
      let hasRULER = measured.answers.contains { $0.task != "niah" }
      return hasRULER
        ? ["not known: every length needs the same tasks, measured completely"] : []
    }
    let rows = found.map { name, effective in [name, effective.length.map(String.init) ?? "none"] }
    return TextColumns.lines(rows) + [
      """
      the greatest length at which the mean of \(tasks.count) of RULER's 13 tasks exceeds \
      \(threshold.sixDigits) %
      """
    ]
  }
}
