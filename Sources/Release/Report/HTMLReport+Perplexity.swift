import Foundation
import Verify

/// Curves by length, before and after in one plot. Runtimes with equal results share one.
extension HTMLReport {
  var perplexity: [String] {
    plot(
      "Perplexity by length", "perplexity", isShare: false,
      title: "Perplexity by length, with standard errors", points: Self.perplexities)
  }

  var passkeyCurves: [String] {
    plot(
      "Passkeys found, by length", "per cent", isShare: true,
      title: "Passkeys found by length in per cent, with 95 % intervals", points: Self.passkeys)
  }

  /// A plot with a curve for each group of runtimes, dashed before the patch; none if no curve has two
  /// points.
  private func plot(
    _ heading: String, _ ylabel: String, isShare: Bool, title: String,
    points: (Measurements, String) -> [LengthPlot.Point]
  ) -> [String] {
    let older = before?.measured
    let curves = [(measured, ""), (older, "before: ")].flatMap { measured, prefix in
      measured.map { measured in
        measured.runtimesAlike { runtime in
          let own = points(measured, runtime)
          return own.count > 1 ? own : nil
        }.enumerated().map { index, group in
          LengthPlot.Series(
            name: prefix + group.names.joined(separator: ", "), points: group.value, colour: index,
            isDashed: !prefix.isEmpty)
        }
      } ?? []
    }
    guard !curves.isEmpty else { return [] }
    let plot = LengthPlot(
      title: title, ylabel: ylabel, originalWindow: measured.originalWindow, isShare: isShare,
      series: curves)
    return ["<h2>\(heading)</h2>", plot.figure]
  }

  /// One point for each length: of several texts, the worst.
  private static func perplexities(_ measured: Measurements, _ runtime: String)
    -> [LengthPlot.Point]
  {
    let results = measured.perplexities.map(\.result).filter {
      $0.runtime == runtime && $0.value.isFinite
    }
    return Dictionary(grouping: results, by: \.length).compactMap { length, here in
      here.max { $0.value < $1.value }.map {
        LengthPlot.Point(
          length: length, value: $0.value, low: $0.value - $0.standardError,
          high: $0.value + $0.standardError)
      }
    }.sorted { $0.length < $1.length }
  }

  private static func passkeys(_ measured: Measurements, _ runtime: String) -> [LengthPlot.Point] {
    measured.lengths.compactMap { length in
      measured.trials(at: .init(metric: .passkey, runtime: runtime, length: length)).map { trials in
        LengthPlot.Point(
          length: length, value: 100 * trials.share, low: 100 * trials.interval.lowerBound,
          high: 100 * trials.interval.upperBound)
      }
    }
  }
}
