/// Values of benchmarks.
extension Measurements {
  /// The score in a benchmark, or the share of the baseline's that is retained; nil for other
  /// metrics, and if there is none.
  func benchmarkValue(_ place: Place) -> Double? {
    if place.metric.isRetained { return retained(at: place)?.share }
    return benchmarks(at: place).first?.mean()
  }

  /// How much of the baseline's score is retained, in one benchmark or in all; nil without a
  /// baseline, and if it has no right answer.
  package func retained(at place: Place) -> RetainedShare? { RetainedShare(benchmarks(at: place)) }

  /// The benchmarks that a metric is about.
  private func benchmarks(at place: Place) -> [BenchmarkResult] {
    guard place.length == originalWindow else { return [] }
    return benchmarks.filter { result in
      let metrics = Metric.of(result.benchmark, withBaseline: true)
      return result.runtime == place.runtime && metrics.contains(place.metric)
    }
  }
}
