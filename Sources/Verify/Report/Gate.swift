import Formats
public import Inference

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
  /// A number may be a percentage, `95%`, and a length may have a unit, `4k`.
  /// - Parameters:
  ///   - text: the gate.
  ///   - runtimes: the names that a gate may give: of runtimes, and of ways to extend the window
  ///     without factors.
  /// - Throws: `OptionError` for any other text, and for a limit that no value can reach or miss.
  public init(
    _ text: String, runtimes: [String] = RuntimeChoice.names + ExtensionMethod.names
  ) throws(OptionError) {
    let text = text.filter { !$0.isWhitespace }
    let (subject, comparison, number) = try Self.sides(text)
    let parts = subject.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    guard let metric = Metric(rawValue: parts[0]) else {
      throw OptionError(
        "'\(text)': unknown metric '\(parts[0])', expected \(Metric.names.alternatives)")
    }
    guard let limit = Self.limit(number, of: metric) else {
      throw OptionError("'\(text)': '\(number)' is not a number; \(Self.form)")
    }
    try Self.requireReachable(limit, of: metric, text)
    (self.text, self.metric, self.comparison, self.limit) = (text, metric, comparison, limit)
    for part in parts.dropFirst() {
      if runtimes.contains(part), runtime == nil {
        runtime = part
      } else if place == nil, let found = Place(part) {
        place = found
      } else {
        throw OptionError(
          "'\(text)': '\(part)' is neither a length nor 'short', 'long' or one of \(runtimes.joined(separator: ", ")), or it is the second one"
        )
      }
    }
  }

  /// What a gate looks like.
  private static let form =
    "a gate is METRIC[@LENGTH|@short|@long][@RUNTIME]>=NUMBER or <=NUMBER, such as 'passkey@32k>=95%' (in quotes, because a shell takes < and > for itself)"

  private static func sides(
    _ text: String
  ) throws(OptionError) -> (subject: Substring, Comparison, number: String) {
    for comparison in [Comparison.atLeast, .atMost] {
      let sides = text.split(separator: comparison.rawValue, omittingEmptySubsequences: false)
      if sides.count == 2, !sides[1].isEmpty { return (sides[0], comparison, String(sides[1])) }
    }
    throw OptionError("'\(text)' is not a gate; \(form)")
  }

  /// A number, a percentage, or a length if the metric is one.
  private static func limit(_ text: String, of metric: Metric) -> Double? {
    let number =
      text.hasSuffix("%")
      ? Double(text.dropLast()).map { $0 / 100 }
      : Double(text)
        ?? (metric == .effectiveLength ? TokenLength.parse(text).map(Double.init) : nil)
    return number.flatMap { $0.isFinite ? $0 : nil }
  }

  /// Refuses a limit of a share beyond 0 and 1, such as 95 for 95 %.
  private static func requireReachable(
    _ limit: Double, of metric: Metric, _ text: String
  ) throws(OptionError) {
    let isRatio = metric == .perplexityRatio || metric.isRetained
    if !metric.isShare, text.hasSuffix("%") && !isRatio || limit < 0 {
      throw OptionError(
        "'\(text)': \(metric.rawValue) is not a share, expected a limit such as 40")
    }
    if metric.isRetained, limit > 10 {
      throw OptionError(
        "'\(text)': \(metric.rawValue) is a ratio to the baseline, expected a limit such as 0.985 or 98.5%"
      )
    }
    guard metric.isShare, !(0...1).contains(limit) else { return }
    throw OptionError(
      "'\(text)': \(metric.rawValue) is a share from 0 to 1, expected a limit such as 0.95 or 95%")
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
  fileprivate init?(_ text: String) {
    switch text {
    case "short": self = .short
    case "long": self = .long
    default:
      guard let number = TokenLength.parse(text) else { return nil }
      self = .length(number)
    }
  }
}
