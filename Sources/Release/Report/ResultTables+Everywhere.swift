import Formats
import Verify

/// A model compared with another one at every position of the window.
extension ResultTables {
  /// One table for each length and for runtimes that agree; none if positions were not compared.
  var positions: [Table] {
    measured.retentions.map(\.length).uniqued.sorted().flatMap { length in
      let results = measured.retentions.filter { $0.length == length && !$0.parts.isEmpty }
      return measured.runtimesAlike { runtime -> [[String]]? in
        guard showsPaper || measured.comparedRuntimes.contains(runtime) else { return nil }
        return results.first { $0.runtime == runtime }.map { $0.parts.map(Self.row) }
      }.map { names, rows in
        Table(
          metrics: [],
          title: """
            compared with the baseline, by position at length \(document.marked(length)): \
            \(names.joined(separator: ", "))
            """,
          header: ["positions", "divergence", "same token", "perplexity"], rows: rows)
      }
    }
  }

  private static func row(_ part: Retention.Part) -> [String] {
    [
      "\(part.positions.lowerBound)-\(part.positions.upperBound - 1)",
      part.divergence.text(error: part.errors?.divergence), part.agreement.percent(of: part.tokens),
      "x \(part.ratio.text(error: part.errors?.ratio))",
    ]
  }

  /// Passkeys that one model finds and the other does not, by length and runtimes; nil if the other
  /// was not asked.
  var lostPasskeys: Table? {
    guard !measured.baselinePasskeys.isEmpty else { return nil }
    let rows = Set(measured.baselinePasskeys.map(\.cell.length)).sorted().flatMap { length in
      measured.runtimesAlike { runtime -> [String]? in
        guard showsPaper || measured.comparedRuntimes.contains(runtime) else { return nil }
        return lostPasskeys(runtime, length)
      }.map { names, cells in
        [document.marked(length)] + cells + [names.joined(separator: ", ")]
      }
    }
    return Table(
      metrics: [], title: "passkeys that only one of both models finds, and their depths",
      header: ["length", "lost", "gained", "runtime"], rows: rows)
  }

  private func lostPasskeys(_ runtime: String, _ length: Int) -> [String]? {
    let own = measured.passkeys.filter { $0.runtime == runtime && $0.cell.length == length }
    let pairs = own.compactMap { result in
      measured.baselinePasskeys.first { $0.runtime == runtime && $0.cell == result.cell }.map {
        (result, $0)
      }
    }
    guard !pairs.isEmpty else { return nil }
    func depths(_ isWanted: (Passkey.Result, Passkey.Result) -> Bool) -> String {
      let found = pairs.filter { isWanted($0, $1) }.map { $0.0.cell.depth.sixDigits }
      return found.isEmpty ? "0" : "\(found.count): \(found.uniqued.joined(separator: ", "))"
    }
    return [depths { !$0.isExact && $1.isExact }, depths { $0.isExact && !$1.isExact }]
  }
}
