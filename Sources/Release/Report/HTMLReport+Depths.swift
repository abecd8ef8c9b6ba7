import Verify

/// What was found, by length and depth, as coloured tables. Runtimes with equal results share one.
extension HTMLReport {
  var heatMaps: [String] {
    measured.resultsByDepth.flatMap { results in
      let earlier = before?.measured.resultsByDepth.first { $0.task == results.task }?.all ?? []
      let groups = groups { measured, runtime in
        measured.resultsByDepth.filter { $0.task == results.task }.flatMap(\.all)
          .filter { $0.runtime == runtime }.map(\.outcome)
      }
      let title = results.title.prefix(1).uppercased() + results.title.dropFirst()
      return ["<h2>\(title) found, by length and depth</h2>"]
        + groups.map { pair($0, earlier, results.all) }
    }
  }

  /// The heat map of a group of runtimes, before and after.
  private func pair(
    _ names: [String], _ before: [DepthResult], _ after: [DepthResult]
  ) -> String {
    let caption = names.joined(separator: ", ")
    let (before, after) = (before.of(names[0]), after.of(names[0]))
    guard !before.isEmpty else { return heatMap(after, caption) }
    return "<div class=\"pair\">\n" + heatMap(before, "\(caption), before")
      + heatMap(after, "\(caption), after") + "</div>"
  }

  private func heatMap(_ results: [DepthResult], _ caption: String) -> String {
    let lengths = Set(results.map(\.length)).sorted()
    let rows = Set(results.map(\.depth)).sorted().map { depth in
      let cells = lengths.map { length in
        Self.cell(results.filter { $0.length == length && $0.depth == depth })
      }
      let heading = HTML.rowHeading("\(((depth * 1000).rounded() / 10).sixDigits) %")
      return "<tr>\(heading)\(cells.joined())</tr>"
    }
    return HTML.table(head: ["depth"] + lengths.map(document.marked), body: rows, caption: caption)
  }

  private static func cell(_ results: [DepthResult]) -> String {
    guard let share = results.share else { return "<td>-</td>" }
    let details = details(results)
    return """
      <td class="heat" style="background:\(colour(share))" title="\(details)">\
      \(Int((share * 100).rounded())) %<span class="unseen">; \(details)</span></td>
      """
  }

  /// How many were found, and how far passkeys were from being the likeliest answer, in words.
  private static func details(_ results: [DepthResult]) -> String {
    let found = results.count { $0.score == 1 }
    let count = "\(found) of \(results.count) found"
    let margins = results.compactMap(\.margin)
    guard let least = margins.min(), let most = margins.max(), least < 0 else { return count }
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

extension [DepthResult] {
  fileprivate func of(_ runtime: String) -> [DepthResult] { filter { $0.runtime == runtime } }
}
