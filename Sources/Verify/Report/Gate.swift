/// A condition on a measured metric: `passkey>=0.95`, `perplexity@1024@vllm<=40`.
public struct Gate: Equatable, Sendable {
  /// How a value compares with the limit.
  public enum Comparison: String, Sendable {
    /// The value must reach the limit.
    case atLeast = ">="
    /// The value must not exceed the limit.
    case atMost = "<="
  }

  /// The lengths at which a metric must hold.
  public enum Place: Equatable, Sendable {
    /// Every length within the original window.
    case short
    /// Every length beyond the original window.
    case long
    /// One length, in tokens.
    case length(Int)
  }

  /// The text that the gate was read from.
  public var text: String
  /// What is measured.
  public var metric: Metric
  /// The lengths that the gate is about; nil for all.
  public var place: Place?
  /// The name of the runtime that the gate is about; nil for all.
  public var runtime: String?
  /// How the value compares with the limit.
  public var comparison: Comparison
  /// The limit.
  public var limit: Double

  /// Reads `METRIC[@LENGTH|@short|@long][@RUNTIME]>=NUMBER`, or the same with `<=`.
  ///
  /// Nil for any other text.
  /// - Parameters:
  ///   - text: the gate.
  ///   - runtimes: the names of runtimes that a gate may give.
  ///   - length: reads a length; units such as `4k` are up to the caller.
  public init?(
    _ text: String, runtimes: [String] = RuntimeChoice.names,
    length: (String) -> Int? = { Int($0) }
  ) {
    guard let (subject, comparison, limit) = Self.sides(text, length) else { return nil }
    let parts = subject.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    guard let metric = Metric(rawValue: parts[0]), parts.count <= 3 else { return nil }
    (self.text, self.metric, self.comparison, self.limit) = (text, metric, comparison, limit)
    for part in parts.dropFirst() {
      if runtimes.contains(part), runtime == nil {
        runtime = part
      } else if place == nil, let found = Place(part, length: length) {
        place = found
      } else {
        return nil
      }
    }
  }

  private static func sides(
    _ text: String, _ length: (String) -> Int?
  ) -> (subject: Substring, Comparison, limit: Double)? {
    for comparison in [Comparison.atLeast, .atMost] {
      let sides = text.split(separator: comparison.rawValue, omittingEmptySubsequences: false)
      if sides.count == 2,
        let limit = Double(sides[1]) ?? length(String(sides[1])).map(Double.init), limit.isFinite
      {
        return (sides[0], comparison, limit)
      }
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

  /// Whether the gate is about a metric at a length.
  ///
  /// A gate on the effective length is about all lengths of RULER's tasks.
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
