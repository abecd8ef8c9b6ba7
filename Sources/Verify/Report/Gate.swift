/// A condition on a measured metric: `passkey>=0.95`, `perplexity@1024@vllm<=40`.
public struct Gate: Equatable, Sendable {
  public enum Comparison: String, Sendable { case atLeast = ">=", atMost = "<=" }

  public var text: String
  /// `passkey` or `perplexity`.
  public var metric: String
  /// A length, or `short` or `long` (within and beyond the original window).
  public var place: String?
  public var runtime: String?
  public var comparison: Comparison
  public var limit: Double

  /// nil for a text that is no gate.
  public init?(_ text: String, runtimes: [String]) {
    for comparison in [Comparison.atLeast, .atMost] {
      let sides = text.split(separator: comparison.rawValue, omittingEmptySubsequences: false)
      guard sides.count == 2, let limit = Double(sides[1]), limit.isFinite else { continue }
      let parts = sides[0].split(separator: "@", omittingEmptySubsequences: false).map(String.init)
      guard ["passkey", "perplexity"].contains(parts[0]), parts.count <= 3 else { return nil }
      var place: String?
      var runtime: String?
      for part in parts.dropFirst() {
        if runtimes.contains(part) {
          guard runtime == nil else { return nil }
          runtime = part
        } else {
          guard place == nil, Int(part) != nil || ["short", "long"].contains(part) else { return nil }
          place = part
        }
      }
      self.init(
        text: text, metric: parts[0], place: place, runtime: runtime, comparison: comparison, limit: limit)
      return
    }
    return nil
  }

  init(
    text: String, metric: String, place: String?, runtime: String?, comparison: Comparison, limit: Double
  ) {
    self.text = text
    self.metric = metric
    self.place = place
    self.runtime = runtime
    self.comparison = comparison
    self.limit = limit
  }

  /// Whether the gate speaks of this cell.
  func covers(length: Int, runtime name: String, originalWindow: Int) -> Bool {
    if let runtime, runtime != name { return false }
    switch place {
    case nil: return true
    case "short": return length <= originalWindow
    case "long": return length > originalWindow
    case let text?: return Int(text) == length
    }
  }

  func holds(_ value: Double) -> Bool {
    switch comparison {
    case .atLeast: value >= limit
    case .atMost: value <= limit
    }
  }
}

/// A gate and what was measured for it.
public struct Verdict: Equatable, Sendable {
  public var gate: Gate
  /// The worst value among runtimes and lengths; nil where it was not measured.
  public var worst: Double?
  /// Where it was measured: a runtime and a length.
  public var place: String
  public var passes: Bool
}
