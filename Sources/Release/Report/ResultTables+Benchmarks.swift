import Verify

/// Benchmarks as one table: a row for each benchmark, score and group of runtimes, and what all of
/// them together retain of the baseline.
extension ResultTables {
  /// Nil if no benchmark was measured.
  var benchmarks: Table? {
    guard !measured.benchmarks.isEmpty else { return nil }
    let hasBaseline = measured.benchmarks.contains { $0.baselineMean() != nil }
    var rows = rows(measured, hasBaseline: hasBaseline)
    if let before {
      rows += self.rows(before.measured, hasBaseline: hasBaseline).map {
        ["before: \($0[0])"] + $0.dropFirst()
      }
    }
    let end =
      hasBaseline
      ? "; the baseline's score, and the share of it that is retained, with 95 % interval" : ""
    return Table(
      metrics: measured.metrics.filter(\.isOfBenchmarks), title: "benchmarks\(end)",
      header: ["benchmark", "score", "questions", "mean"]
        + (hasBaseline ? ["baseline", "retained"] : []) + ["runtime"],
      rows: rows)
  }

  private func rows(_ measured: Measurements, hasBaseline: Bool) -> [[String]] {
    let all = Benchmark.all.filter { benchmark in
      measured.benchmarks.contains { $0.benchmark == benchmark }
    }
    let single = all.flatMap { benchmark in
      benchmark.scores.indices.flatMap { score in
        grouped(measured) { runtime in
          measured.benchmarks.first { $0.benchmark == benchmark && $0.runtime == runtime }.map {
            Self.cells($0, score, measured, hasBaseline: hasBaseline)
          }
        }
      }
    }
    guard hasBaseline, all.count > 1 else { return single }
    return single
      + grouped(measured) { runtime in
        let place = Measurements.Place(
          metric: .retained, runtime: runtime, length: measured.originalWindow)
        return measured.retained(at: place).map {
          ["all", "first of each", "", "", "", Self.shown($0)]
        }
      }
  }

  /// One row for each group of runtimes with equal cells.
  private func grouped(_ measured: Measurements, _ cells: (String) -> [String]?) -> [[String]] {
    let shown = showsPaper ? measured.runtimes : measured.comparedRuntimes
    return measured.runtimesAlike { shown.contains($0) ? cells($0) : nil }.map {
      $0.value + [$0.names.joined(separator: ", ")]
    }
  }

  private static func cells(
    _ result: BenchmarkResult, _ score: Int, _ measured: Measurements, hasBaseline: Bool
  ) -> [String] {
    let place = Measurements.Place(
      metric: .answers(result.benchmark.name), runtime: result.runtime,
      length: measured.originalWindow)
    let partial = measured.missing[place] == nil ? "" : " (incomplete)"
    let cut = result.documents.count(where: \.isCut)
    let shots = result.shots > 0 ? ", \(result.shots)-shot" : ""
    let (mean, error) = (100 * (result.mean(score) ?? 0), 100 * result.standardError(score))
    let own = [
      "\(result.benchmark.name)\(shots)", result.benchmark.scores[score].rawValue,
      "\(result.documents.count)\(cut > 0 ? ", \(cut) of them cut" : "")\(partial)",
      "\(mean.text(error: error)) %",
    ]
    guard hasBaseline else { return own }
    let baseline = result.baselineMean(score).map { "\((100 * $0).rounded(toError: error)) %" }
    let retained = RetainedShare([result], score: score)
    return own + [baseline ?? "-", retained.map(shown) ?? "-"]
  }

  private static func shown(_ retained: RetainedShare) -> String {
    let (low, high) = (retained.interval.lowerBound, retained.interval.upperBound)
    return "\(percent(retained.share)) (\(ends(low, high)))"
  }

  private static func ends(_ low: Double, _ high: Double) -> String {
    [low, high].map { ((($0 * 1000).rounded()) / 10).sixDigits }.joined(separator: "-")
  }
}
