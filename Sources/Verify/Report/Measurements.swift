/// Everything that one run of `verify` has measured, and what it set out to measure.
public struct Measurements: Equatable, Sendable {
  public var originalWindow: Int
  public var passkeys: [Passkey.Result] = []
  public var answers: [AnswerResult] = []
  public var perplexities: [NamedPerplexity] = []
  public var retentions: [Retention.Result] = []
  public var crossings: [WindowCrossing.Result] = []
  public var skipped: [Skipped] = []
  /// Results that are still to come, or were never reached.
  public var missing: [Place: Int] = [:]

  public init(originalWindow: Int) { self.originalWindow = originalWindow }

  /// Where a metric is measured.
  public struct Place: Hashable, Sendable {
    public var metric: Metric
    public var runtime: String
    public var length: Int

    public init(metric: Metric, runtime: String, length: Int) {
      self.metric = metric
      self.runtime = runtime
      self.length = length
    }
  }

  /// A task that cannot be done at a length.
  public struct Skipped: Equatable, Sendable {
    public var task: String
    public var length: Int
    public var reason: String
  }

  /// A text's perplexity.
  public struct NamedPerplexity: Equatable, Sendable {
    public var text: String
    public var result: Perplexity.Result
  }

  public mutating func expect(_ metrics: [Metric], _ runtimes: [String], length: Int, count: Int = 1) {
    for metric in metrics {
      for runtime in runtimes {
        missing[Place(metric: metric, runtime: runtime, length: length), default: 0] += count
      }
    }
  }

  mutating func note(_ metrics: [Metric], _ runtime: String, length: Int) {
    for metric in metrics {
      let place = Place(metric: metric, runtime: runtime, length: length)
      if let count = missing[place] { missing[place] = count > 1 ? count - 1 : nil }
    }
  }

  // MARK: Values

  /// The metric at one place; nil where it was not, or not completely, measured. Of several texts the worst counts.
  public func value(_ place: Place) -> Double? { missing[place] == nil ? partialValue(place) : nil }

  /// The same of what is there.
  public func partialValue(_ place: Place) -> Double? {
    let isHere = { (runtime: String, length: Int) in runtime == place.runtime && length == place.length }
    let retention = retentions.first { isHere($0.runtime, $0.length) }
    switch place.metric {
    case .passkey: return mean(passkeys.filter { isHere($0.runtime, $0.cell.length) }.map { $0.isExact ? 1 : 0 })
    case .publishedPasskey:
      return mean(passkeys.filter { isHere($0.runtime, $0.cell.length) }.compactMap(\.isPublished).map { $0 ? 1 : 0 })
    case .perplexity:
      return perplexities.filter { isHere($0.result.runtime, $0.result.length) }.map(\.result.value).max()
    case .perplexityRatio: return retention?.ratio
    case .divergence: return retention?.divergence
    case .agreement: return retention?.agreement
    case .crossing: return crossings.first { isHere($0.runtime, $0.length) }?.perplexity
    case .effectiveLength: return nil
    default:
      return mean(
        answers.filter { $0.task == place.metric.rawValue && isHere($0.runtime, $0.cell.length) }.map(\.score))
    }
  }

  private func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// RULER's effective length for one runtime, in tokens; nil where none of its tasks ran, or not all of what was
  /// planned.
  public func effectiveLength(_ runtime: String, threshold: Double = EffectiveLength.defaultThreshold)
    -> EffectiveLength?
  {
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

  public var runtimes: [String] {
    var seen: Set<String> = []
    let names =
      passkeys.map(\.runtime) + answers.map(\.runtime) + perplexities.map(\.result.runtime)
      + retentions.map(\.runtime) + crossings.map(\.runtime) + missing.keys.map(\.runtime).sorted()
    return names.filter { seen.insert($0).inserted }
  }

  public var lengths: [Int] {
    Set(
      passkeys.map(\.cell.length) + answers.map(\.cell.length) + perplexities.map(\.result.length)
        + retentions.map(\.length) + crossings.map(\.length) + missing.keys.map(\.length)
    ).sorted()
  }

  /// Metrics that were measured anywhere.
  public var metrics: [Metric] {
    Metric.names.compactMap(Metric.init).filter { metric in
      runtimes.contains { runtime in
        lengths.contains { partialValue(Place(metric: metric, runtime: runtime, length: $0)) != nil }
      }
    }
  }

  // MARK: Gates

  /// Judges a gate by its worst place. A metric that was not measured, or not completely, fails.
  public func judge(_ gate: Gate) -> Verdict {
    let names = runtimes.filter { gate.runtime == nil || gate.runtime == $0 }
    var places: [(value: Double?, place: String)] = []
    for runtime in names {
      if gate.metric == .effectiveLength {
        let effective = effectiveLength(runtime)
        places.append((effective.map { Double($0.length ?? 0) }, runtime))
        continue
      }
      for length in lengths where gate.covers(length: length, originalWindow: originalWindow) {
        let place = Place(metric: gate.metric, runtime: runtime, length: length)
        if missing[place] != nil {
          places.append((nil, "\(runtime) at \(length)"))
        } else if let value = value(place) {
          places.append((value, "\(runtime) at \(length)"))
        }
      }
    }
    if places.isEmpty { return Verdict(gate: gate, worst: nil, place: "not measured", passes: false) }
    if let absent = places.first(where: { $0.value == nil }) {
      return Verdict(gate: gate, worst: nil, place: "not completely measured: \(absent.place)", passes: false)
    }
    let measured = places.compactMap { place in place.value.map { (value: $0, place: place.place) } }
    let worst =
      gate.comparison == .atLeast ? measured.min { $0.value < $1.value } : measured.max { $0.value < $1.value }
    guard let worst else { return Verdict(gate: gate, worst: nil, place: "not measured", passes: false) }
    return Verdict(gate: gate, worst: worst.value, place: worst.place, passes: gate.holds(worst.value))
  }
}
