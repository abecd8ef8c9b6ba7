import Patch
import Release

/// A factor set as text: its windows and attention scale, and each pair's factors with a bar for
/// the long one.
struct FactorTableText {
  private let source: FactorSource

  init(_ source: FactorSource) { self.source = source }

  private var set: FactorSet { source.set }

  var text: String {
    var lines = [
      "window     \(length(set.originalWindow)) to \(length(set.window))",
      "mscale     \(mscale)",
      "sha256     \(source.sha256)",
    ]
    if set.startTokens > 0 {
      lines.append("start      the first \(set.startTokens) tokens unscaled")
    }
    for bucket in set.buckets { lines.append("bucket     up to \(bucket.maximumLength) tokens") }
    if case .perLayer(let rows) = set.long {
      lines.append("layers     \(rows.count), each with its own factors; the first is shown")
    }
    return (lines + [""] + table).joined(separator: "\n")
  }

  private func length(_ window: Int?) -> String { window.map(String.init) ?? "unknown" }

  private var mscale: String {
    switch set.mscale {
    case .su: "su: sqrt(1 + ln s / ln L0)"
    case .yarn: "yarn: 0.1 ln s + 1"
    case .none: "none: 1"
    case .literal(let long, let short): "\(long) long, \(short) short"
    }
  }

  private var table: [String] {
    let long = set.long.rows.first ?? []
    let short = set.short?.rows.first
    let greatest = long.max() ?? 1
    let width = 40
    let rows = long.indices.map { pair in
      [
        String(pair), long[pair].sixDigits, short.map { $0[pair].sixDigits } ?? "1",
        TextStyle.terminal.bar(long[pair] / greatest, width: width),
      ]
    }
    return TextColumns.lines([["pair", "long", "short", ""]] + rows)
  }
}
