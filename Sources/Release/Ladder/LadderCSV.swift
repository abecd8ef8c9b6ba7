import Verify

/// A ladder as CSV: a line for each rung and length.
struct LadderCSV {
  let document: LadderDocument
  let tables: LadderTables

  /// How every such file begins; the names of tasks follow.
  static let beginning =
    "model,cache,cache_values,bytes,length,perplexity,perplexity_error,perplexity_ratio,perplexity_ratio_error,kl,kl_error,flips,passkeys_found,passkeys_tried,passkeys_lost,failures"

  var text: String {
    let header = ([Self.beginning] + tables.tasks).joined(separator: ",")
    let lines = zip(document.rungs, tables.rungs).flatMap { rung, shown in
      shown.places.map { place in
        CSV.line(
          [rung.model] + rung.rung.cacheNames + [String(shown.bytes), String(place.length)]
            + numbers(place))
      }
    }
    return ([header] + lines).joined(separator: "\n") + "\n"
  }

  private func numbers(_ place: LadderPlace) -> [String] {
    let retention = place.retention
    let measured: [Double?] = [
      retention?.perplexity, retention?.errors?.perplexity, retention?.ratio,
      retention?.errors?.ratio, retention?.divergence, retention?.errors?.divergence,
      retention.map { 1 - $0.agreement },
    ]
    let counts: [Int?] = [place.passkeys?.successes, place.passkeys?.trials, place.lostPasskeys]
    return measured.map(Self.text) + counts.map { $0.map(String.init) ?? "" }
      + [place.failures.map(\.metric.rawValue).joined(separator: " ")]
      + tables.tasks.map { task in Self.text(place.scores.first { $0.task == task }?.share) }
  }

  private static func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }
}
