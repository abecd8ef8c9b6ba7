/// A test whether one candidate is worse than another, by the units on which both were evaluated.
enum PairedTest {
  /// The one-sided p-value of the hypothesis that the mean difference over all units is not above
  /// 0: Student's test with the correction for a sample from a finite population.
  /// - Parameters:
  ///   - differences: the differences of units drawn without replacement.
  ///   - population: the number of all units.
  static func pValue(_ differences: [Double], of population: Int) -> Double {
    let count = differences.count
    guard count >= 2 else { return 1 }
    let mean = differences.reduce(0, +) / Double(count)
    if count >= population { return mean > 0 ? 0 : 1 }
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let variance =
      squares / Double(count - 1) / Double(count) * (1 - Double(count) / Double(population))
    guard variance > 0 else { return mean > 0 ? 0 : 1 }
    return StudentT.upperTail(mean / variance.squareRoot(), degrees: Double(count - 1))
  }
}
