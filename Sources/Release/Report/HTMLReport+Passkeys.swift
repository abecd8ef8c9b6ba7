import Verify

/// Passkeys found, by length and depth, as coloured tables. Runtimes with equal results share one.
extension HTMLReport {
  private struct Passkeys: Equatable {
    let length: Int
    let depth: Double
    let isExact: Bool

    init(_ result: Passkey.Result) {
      (length, depth, isExact) = (result.cell.length, result.cell.depth, result.isExact)
    }
  }

  var heatMaps: [String] {
    guard !measured.passkeys.isEmpty else { return [] }
    let groups = groups { measured, runtime in
      measured.passkeys.filter { $0.runtime == runtime }.map { Passkeys($0) }
    }
    return ["<h2>Passkeys found, by length and depth</h2>"] + groups.map(pair)
  }

  /// The heat map of a group of runtimes, before and after.
  private func pair(_ names: [String]) -> String {
    let caption = names.joined(separator: ", ")
    guard let before, before.measured.passkeys.contains(where: { $0.runtime == names[0] }) else {
      return heatMap(measured, names[0], caption)
    }
    return "<div class=\"pair\">\n"
      + heatMap(before.measured, names[0], "\(caption), before")
      + heatMap(measured, names[0], "\(caption), after") + "</div>"
  }

  private func heatMap(
    _ measured: Measurements, _ runtime: String, _ caption: String
  ) -> String {
    let results = measured.passkeys.filter { $0.runtime == runtime }
    let lengths = Set(results.map(\.cell.length)).sorted()
    let rows = Set(results.map(\.cell.depth)).sorted().map { depth in
      let cells = lengths.map { length in
        Self.cell(results.filter { $0.cell.length == length && $0.cell.depth == depth })
      }
      let heading = HTML.rowHeading("\(((depth * 1000).rounded() / 10).sixDigits) %")
      return "<tr>\(heading)\(cells.joined())</tr>"
    }
    return HTML.table(head: ["depth"] + lengths.map(document.marked), body: rows, caption: caption)
  }

  private static func cell(_ results: [Passkey.Result]) -> String {
    guard !results.isEmpty else { return "<td>-</td>" }
    let share = Double(results.count { $0.isExact }) / Double(results.count)
    let margins = margins(results)
    return """
      <td class="heat" style="background:\(colour(share))" title="\(margins)">\
      \(Int((share * 100).rounded())) %<span class="unseen">; \(margins)</span></td>
      """
  }

  /// How far the key was from being the likeliest answer, in words.
  private static func margins(_ results: [Passkey.Result]) -> String {
    let found = results.count { $0.isExact }
    let all = results.map(\.margin)
    let count = "\(found) of \(results.count) found"
    guard let least = all.min(), let most = all.max(), least < 0 else { return count }
    func text(_ margin: Double) -> String { margin.rounded(toError: 0.1) }
    let range = text(least) == text(most) ? text(least) : "\(text(least)) to \(text(most))"
    return "\(count), margin \(range) nats"
  }

  /// A colour from orange to blue, which colour-blind readers can distinguish too.
  private static func colour(_ share: Double) -> String {
    let (from, to) = ((230.0, 159.0, 80.0), (120.0, 190.0, 235.0))
    func mixed(_ a: Double, _ b: Double) -> Int { Int((a + (b - a) * share).rounded()) }
    return "rgb(\(mixed(from.0, to.0)),\(mixed(from.1, to.1)),\(mixed(from.2, to.2)))"
  }
}
