import Models
import Patch
import Release

/// Factors by rotary pair, with the critical pairs marked, and each pair's period next to the
/// windows: as text and as SVG.
struct FactorPlot {
  let factorSet: FactorSet
  let settings: ClosedForm.Settings
  let title: String

  private var factors: [Double] { factorSet.long.rows.first ?? [] }

  /// Tokens in one turn of each pair, without and with the factors.
  private var periods: (before: [Double], after: [Double]) {
    func all(_ factors: [Double]?) -> [Double] {
      RotaryFrequencies.inverse(
        theta: settings.theta, rotaryDimensions: settings.rotaryDimensions, factors: factors
      ).map(RotaryFrequencies.period)
    }
    return (all(nil), all(factors))
  }

  private var marks: [(pair: Int, name: String)] {
    var marks = [(settings.tenPeriodsPair, "d10"), (settings.theoreticalCriticalPair, "d_tcd")]
    if let pair = settings.criticalPair, pair != settings.theoreticalCriticalPair {
      marks.append((pair, "d_rcd"))
    }
    return marks
  }

  // MARK: Text

  var text: String {
    let mscale = factorSet.mscale.values(
      originalWindow: settings.originalWindow, window: settings.window
    ).long
    let candidates = settings.candidateCriticalPairs
    let (theory, ten) = (settings.theoreticalCriticalPair, settings.tenPeriodsPair)
    let head = [
      """
      window     \(settings.originalWindow) to \(settings.window), s = \(settings.scale.sixDigits)
      """,
      "mscale     \(mscale.sixDigits)",
      """
      critical   pair \(theory) of \(settings.pairs) by theory (dimension \(2 * theory)); \
      ten turns from pair \(ten) on; \(candidates.lowerBound) to \(candidates.upperBound) to try
      """,
    ]
    return (head + [""] + table).joined(separator: "\n")
  }

  private var table: [String] {
    let greatest = factors.max() ?? 1
    let width = 32
    let (before, after) = periods
    let rows = factors.indices.map { pair in
      [
        String(pair), factors[pair].sixDigits, before[pair].sixDigits, after[pair].sixDigits,
        TextStyle.terminal.bar(
          factors[pair] / greatest, width: width,
          pair < settings.theoreticalCriticalPair ? .green : .blue)
          + marks.filter { $0.pair == pair }.map { " < \($0.name)" }.joined(),
      ]
    }
    return TextColumns.lines([["pair", "factor", "period", "stretched", ""]] + rows)
  }

  // MARK: SVG

  var svg: String {
    let (before, after) = periods
    let windows = [Double(settings.originalWindow), Double(settings.window)]
    let upper = LinePlot(
      title: title, ylabel: "rescale factor", isLogarithmic: false,
      series: [("factor", factors)], levels: [], marks: marks)
    let lower = LinePlot(
      title: "tokens in one turn", ylabel: "tokens", isLogarithmic: true,
      series: [("original", before), ("rescaled", after)],
      levels: [("original window", windows[0]), ("extended window", windows[1])], marks: marks)
    return SVG.document(
      width: LinePlot.width, height: 2 * LinePlot.height,
      [upper.body(at: 0), lower.body(at: LinePlot.height)])
  }
}
