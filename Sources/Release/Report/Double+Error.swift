extension Double {
  /// The number with its standard error, both with two digits of the error: `17.52 ± 0.21`.
  ///
  /// Without an error, or with one of 0, the number alone.
  func text(error: Double?) -> String {
    guard let error, error > 0, error.isFinite else { return sixDigits }
    return "\(rounded(toError: error)) ± \(error.rounded(toError: error))"
  }

  /// A share in per cent with the standard error of a share of that many trials: `20.9 ± 0.31 %`.
  func percent(of trials: Int) -> String {
    let error = (self * (1 - self) / Double(Swift.max(1, trials))).squareRoot()
    return "\((100 * self).text(error: 100 * error)) %"
  }
}
