/// A condition on a measured metric: `passkey>=0.95`, `perplexity@1024@vllm<=40`.
public struct Gate: Equatable, Sendable {
  public enum Comparison: String, Sendable { case atLeast = ">=", atMost = "<=" }

  /// Where a metric must hold.
  public enum Place: Equatable, Sendable {
    /// Within the original window, or beyond it.
    case short, long
    case length(Int)
  }

  public var text: String
  public var metric: Metric
  public var place: Place?
  public var runtime: String?
  public var comparison: Comparison
  public var limit: Double

  /// Reads `METRIC[@LENGTH|@short|@long][@RUNTIME]>=NUMBER`, or `<=`. Returns nil for other text.
  /// - Parameters:
  ///   - runtimes: the names that a gate may give.
  ///   - length: reads a length; units such as `4k` are up to the caller.
  public init?(
    _ text: String, runtimes: [String] = RuntimeChoice.names,
    length: (String) -> Int? = { Int($0) }
  ) {
    for comparison in [Comparison.atLeast, .atMost] {
      let sides = text.split(separator: comparison.rawValue, omittingEmptySubsequences: false)
      guard sides.count == 2, let limit = Double(sides[1]) ?? length(String(sides[1])).map(Double.init),
        limit.isFinite
      else { continue }
      let parts = sides[0].split(separator: "@", omittingEmptySubsequences: false).map(String.init)
      guard let metric = Metric(rawValue: parts[0]), parts.count <= 3 else { return nil }
      var place: Place?
      var runtime: String?
      for part in parts.dropFirst() {
        if runtimes.contains(part), runtime == nil {
          runtime = part
        } else if place == nil, let found = Place(part, length: length) {
          place = found
        } else {
          return nil
        }
      }
      self.text = text
      self.metric = metric
      self.place = place
      self.runtime = runtime
      self.comparison = comparison
      self.limit = limit
      return
    }
    return nil
  }

  /// Whether the gate is about a length.
  func covers(length: Int, originalWindow: Int) -> Bool {
    switch place {
    case nil: true
    case .short?: length <= originalWindow
    case .long?: length > originalWindow
    case .length(let own)?: own == length
    }
  }

  /// Whether the gate is about a metric at a length. A gate on the effective length is about all
  /// lengths of RULER's tasks.
  public func covers(_ other: Metric, length: Int, _ originalWindow: Int) -> Bool {
    if metric == .effectiveLength { return RULERTask(rawValue: other.rawValue) != nil }
    return metric == other && covers(length: length, originalWindow: originalWindow)
  }

  func holds(_ value: Double) -> Bool {
    switch comparison {
    case .atLeast: value >= limit
    case .atMost: value <= limit
    }
  }
}

extension Gate.Place {
  fileprivate init?(_ text: String, length: (String) -> Int?) {
    switch text {
    case "short": self = .short
    case "long": self = .long
    default:
      guard let number = length(text) else { return nil }
      self = .length(number)
    }
  }
}
