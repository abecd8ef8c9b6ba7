extension Measurements {
  /// The value of a metric at a place; nil if it was not, or not completely, measured.
  ///
  /// For the perplexity of several texts it is the worst.
  public func value(_ place: Place) -> Double? {
    missing[place] == nil ? partialValue(place) : nil
  }

  /// The value of a metric at a place from the results so far; nil if there are none.
  public func partialValue(_ place: Place) -> Double? {
    switch place.metric {
    case .passkey: mean(passkeyResults(at: place).map { $0.isExact ? 1 : 0 })
    case .publishedPasskey:
      mean(passkeyResults(at: place).compactMap(\.isPublished).map { $0 ? 1 : 0 })
    case .perplexity: perplexities.map(\.result).filter(place.isOf).map(\.value).max()
    case .perplexityRatio: retention(at: place)?.ratio
    case .divergence: retention(at: place)?.divergence
    case .agreement: retention(at: place)?.agreement
    case .crossing: crossings.first { place.isOf($0.runtime, $0.length) }?.perplexity
    case .effectiveLength: nil
    default: benchmarkValue(place) ?? mean(scores(at: place))
    }
  }

  private func passkeyResults(at place: Place) -> [Passkey.Result] {
    passkeys.filter { place.isOf($0.runtime, $0.cell.length) }
  }

  /// The passkeys found at a place and the tried ones, by either score; nil for other metrics, and
  /// if none were tried.
  package func trials(at place: Place) -> ShareInterval? {
    let results = passkeyResults(at: place)
    let found: [Bool]
    switch place.metric {
    case .passkey: found = results.map(\.isExact)
    case .publishedPasskey: found = results.compactMap(\.isPublished)
    default: return nil
    }
    return found.isEmpty
      ? nil : ShareInterval(successes: found.count { $0 }, trials: found.count)
  }

  private func retention(at place: Place) -> Retention.Result? {
    retentions.first { place.isOf($0.runtime, $0.length) }
  }

  private func scores(at place: Place) -> [Double] {
    answers.filter {
      $0.task == place.metric.rawValue && place.isOf($0.runtime, $0.cell.length)
    }.map(\.score)
  }

  private func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// RULER's effective length for one runtime.
  /// - Parameters:
  ///   - runtime: the name of the runtime.
  ///   - threshold: what the average of the tasks must exceed, in per cent.
  /// - Returns: nil if none of RULER's tasks was run, or if a planned result is missing.
  public func effectiveLength(
    _ runtime: String, threshold: Double = EffectiveLength.defaultThreshold
  ) -> EffectiveLength? {
    var scores: [Int: [RULERTask: Double]] = [:]
    for task in RULERTask.allCases {
      for length in lengths {
        let place = Place(metric: .answers(task.rawValue), runtime: runtime, length: length)
        guard missing[place] == nil else { return nil }
        scores[length, default: [:]][task] = value(place)
      }
    }
    scores = scores.filter { !$0.value.isEmpty }
    return try? EffectiveLength(scores: scores, threshold: threshold)
  }
}

extension Measurements.Place {
  fileprivate func isOf(_ runtime: String, _ length: Int) -> Bool {
    runtime == self.runtime && length == self.length
  }

  fileprivate func isOf(_ result: Perplexity.Result) -> Bool {
    isOf(result.runtime, result.length)
  }
}
