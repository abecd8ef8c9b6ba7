/// Which factors matter, from `lrpatch factors sensitivity`.
extension HTMLReport {
  var sensitivitySection: [String] {
    guard let sensitivity, !sensitivity.pairs.isEmpty else { return [] }
    let rise = "\((100 * sensitivity.tolerance).sixDigits) %"
    let matters =
      sensitivity.slowestThatMatters.map {
        "Pairs up to \($0) matter; beyond it, a tenth more or less changes perplexity by less than \(rise)."
      } ?? "No factor matters: a tenth more or less changes perplexity by less than \(rise)."
    let room = sensitivity.pairs.map { pair in
      100 * min(1, [pair.room.down, pair.room.up].compactMap(\.self).min() ?? 1)
    }
    let plot = LinePlot(
      title: "change that raises perplexity by \(rise)", ylabel: "per cent", isLogarithmic: true,
      series: [("room", room)],
      marks: sensitivity.slowestThatMatters.map { [($0, "slowest that matters")] } ?? [],
      isStepped: true)
    let rows = sensitivity.pairs.enumerated().map { index, pair in
      [
        String(index), pair.factor.sixDigits, Self.change(pair.slope), Self.share(pair.room.down),
        Self.share(pair.room.up),
      ]
    }
    return [
      "<h2>How far each factor may move</h2>",
      """
      <p>\(XML.escaped(matters)) One per cent more of mscale changes perplexity by \
      \(Self.change(sensitivity.mscaleSlope)). Measured at \(sensitivity.length) tokens, \
      \(sensitivity.units).</p>
      """,
      HTML.plot(plot, title: "Change of each factor that raises perplexity by \(rise)"),
      """
      <details><summary>The numbers</summary>
      \(HTML.table(["pair", "factor", "1 % more", "may fall by", "may rise by"], rows))
      </details>
      """,
    ]
  }

  /// The change of perplexity by 1 % more of something.
  private static func change(_ slope: Double) -> String {
    // exp(x) - 1 for a small x; slopes are of the order of one nat.
    let percent = (slope * 0.01 + slope * slope * 0.00005) * 100
    return "\(percent < 0 ? "-" : "+")\(percent.magnitude.rounded(toError: 0.001)) %"
  }

  private static func share(_ share: Double?) -> String {
    guard let share, share < 10 else { return "any" }
    return "\((100 * share).rounded(toError: share)) %"
  }
}
