import Glibc

/// Generation over the crossing: a text of which what lies within the original window, less a little, is given at once,
/// and the rest token by token, as each runtime would rotate it. The tokens beyond the window are scored.
public struct Crossing: Sendable {
  public struct Result: Equatable, Sendable {
    public var runtime: String
    /// Tokens in the end.
    public var length: Int
    public var perplexity: Double
    public var tokens: Int
  }

  /// Tokens that are generated before the original window is full, and after.
  private static let margin = 64

  private static func margin(_ originalWindow: Int) -> Int { min(margin, originalWindow / 4) }

  /// The tokens of a sequence.
  static func length(_ originalWindow: Int) -> Int { originalWindow + margin(originalWindow) }

  private let sequences: [Scoring.Sequence]
  private let length: Int

  /// - Throws: `VerifyError` for a text that is too short, or a window that is.
  public init(_ text: [Int], originalWindow: Int, beginning: Int?, maximumWindows: Int) throws {
    let lead = beginning.map { [$0] } ?? []
    let margin = Self.margin(originalWindow)
    length = Self.length(originalWindow)
    let (step, length) = (length - lead.count, length)
    guard margin > 0, text.count >= step else {
      throw VerifyError("crossing", "the text has \(text.count) tokens, expected at least \(step)")
    }
    sequences = (0..<min(maximumWindows, text.count / step)).map { number in
      Scoring.Sequence(
        tokens: lead + text[number * step..<(number + 1) * step], prompt: originalWindow - margin,
        scored: Array(originalWindow + 1..<length))
    }
  }

  public func run(_ scoring: Scoring, each: (Result) throws -> Void) throws {
    var losses = scoring.followers.map { _ in [Double]() }
    var windows = scoring.followers.map { _ in 0 }
    try scoring.run(sequences) { _, follower, scores in
      losses[follower] += scores.map { -$0.logProbability }
      windows[follower] += 1
      guard windows[follower] == sequences.count else { return }
      let mean = losses[follower].reduce(0, +) / Double(losses[follower].count)
      try each(
        Result(
          runtime: scoring.followers[follower].name, length: length, perplexity: exp(mean),
          tokens: losses[follower].count))
    }
  }
}
