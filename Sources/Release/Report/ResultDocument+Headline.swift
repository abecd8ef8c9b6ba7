import Verify

extension ResultDocument {
  /// What was found at the greatest length, in a sentence; nil if nothing was.
  ///
  /// It takes the worst runtime, as gates do.
  /// - Parameter before: the same measurements of the model before its patch.
  func headline(before: ResultDocument?) -> String? {
    guard let length = measured.lengths.last else { return nil }
    let parts = [
      measured.worst(.passkey, length).map { "passkeys \(Self.percent($0))" },
      perplexity(at: length, before), retained,
    ].compactMap(\.self)
    guard !parts.isEmpty else { return nil }
    return "\(Self.short(length)) tokens \(state): \(parts.joined(separator: ", "))."
  }

  private var state: String {
    if !isComplete { return "measured in part" }
    return verdicts.isEmpty ? "measured" : hasFailed ? "not verified" : "verified"
  }

  /// The perplexity to compare with, in the original window: of the model before its patch, or its own.
  private func perplexity(at length: Int, _ before: ResultDocument?) -> String? {
    guard let value = measured.worst(.perplexity, length) else { return nil }
    let own = "perplexity \(value.rounded(toError: value / 100))"
    let original = measured.originalWindow
    func greatest(_ measured: Measurements) -> (length: Int, value: Double)? {
      measured.lengths.filter { $0 <= original && $0 < length }.reversed().lazy.compactMap {
        short in
        measured.worst(.perplexity, short).map { (short, $0) }
      }.first
    }
    if let older = before.flatMap({ greatest($0.measured) }) {
      return
        "\(own), \(Self.change(value / older.value)) the original's at \(Self.short(older.length))"
    }
    return greatest(measured).map {
      "\(own), \(Self.change(value / $0.value)) its own at \(Self.short($0.length))"
    } ?? own
  }

  /// What is retained of benchmarks, or else of the perplexity of short inputs.
  private var retained: String? {
    if let share = measured.worst(.retained, measured.originalWindow) {
      return "\(Self.percent(share)) of the benchmarks' scores retained"
    }
    let lengths = measured.lengths.filter { $0 <= measured.originalWindow }
    let ratios = lengths.compactMap { measured.worst(.perplexityRatio, $0) }
    return ratios.max().map {
      "perplexity of short inputs \(Self.change($0)) the baseline's"
    }
  }

  // MARK: Words

  private static func change(_ ratio: Double) -> String {
    let change = ((ratio - 1) * 1000).rounded() / 10
    if change == 0 { return "the same as" }
    let size = change.magnitude < 10 ? change.magnitude : change.magnitude.rounded()
    return "\(size.sixDigits) % \(change < 0 ? "below" : "above")"
  }

  private static func percent(_ share: Double) -> String { ResultTables.percent(share) }

  /// A length with the unit k if it is a multiple of 1024.
  private static func short(_ length: Int) -> String {
    length >= 1024 && length % 1024 == 0 ? "\(length / 1024)k" : "\(length)"
  }
}

extension Measurements {
  /// The worst value of a metric at a length among the runtimes; nil if there is none.
  fileprivate func worst(_ metric: Metric, _ length: Int) -> Double? {
    let values = realRuntimes.compactMap {
      partialValue(.init(metric: metric, runtime: $0, length: length))
    }
    return metric.isBetterWhenLess ? values.max() : values.min()
  }
}
