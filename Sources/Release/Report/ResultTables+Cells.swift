import Verify

/// Single numbers of the tables, rounded to what their errors leave meaning.
extension ResultTables {
  static func cell(_ place: Measurements.Place, _ measured: Measurements) -> String {
    guard let value = measured.partialValue(place) else { return "-" }
    let isPartial = measured.missing[place] != nil
    return shown(value, place, measured) + (isPartial ? " (incomplete)" : "")
  }

  private static func shown(
    _ value: Double, _ place: Measurements.Place, _ measured: Measurements
  ) -> String {
    let retention = measured.retentions.first {
      $0.runtime == place.runtime && $0.length == place.length
    }
    switch place.metric {
    case .passkey, .publishedPasskey:
      return measured.trials(at: place).map(text) ?? percent(value)
    case .perplexity:
      return value.text(
        error: measured.perplexities.map(\.result).first {
          $0.runtime == place.runtime && $0.length == place.length && $0.value == value
        }?.standardError)
    case .perplexityRatio: return value.text(error: retention?.errors?.ratio)
    case .divergence: return value.text(error: retention?.errors?.divergence)
    case .agreement: return retention.map { value.percent(of: $0.tokens) } ?? percent(value)
    case .crossing:
      return value.text(
        error: measured.crossings.first { $0.runtime == place.runtime }?.standardError)
    default: return answers(at: place, measured) ?? percent(value)
    }
  }

  /// Answers that are right or wrong are counted; of others the mean is shown with its error.
  private static func answers(
    at place: Measurements.Place, _ measured: Measurements
  ) -> String? {
    let scores = measured.answers.filter {
      $0.task == place.metric.rawValue && $0.runtime == place.runtime
        && $0.cell.length == place.length
    }.map(\.score)
    guard !scores.isEmpty else { return nil }
    if scores.allSatisfy({ $0 == 0 || $0 == 1 }) {
      return text(ShareInterval(successes: scores.count { $0 == 1 }, trials: scores.count))
    }
    return "\(mean(scores)) of \(scores.count)"
  }

  /// The mean of scores in per cent, with its standard error if there are several.
  private static func mean(_ scores: [Double]) -> String {
    let count = Double(scores.count)
    let mean = scores.reduce(0, +) / count
    guard count > 1 else { return percent(mean) }
    let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / (count - 1) / count).squareRoot()
    return error > 0 ? "\((100 * mean).text(error: 100 * error)) %" : percent(mean)
  }

  /// A share with the number of trials and its 95 % interval.
  private static func text(_ trials: ShareInterval) -> String {
    let (low, high) = (trials.interval.lowerBound, trials.interval.upperBound)
    func whole(_ share: Double) -> Int { Int((share * 100).rounded()) }
    return "\(percent(trials.share)) of \(trials.trials) (\(whole(low))-\(whole(high)))"
  }
}
