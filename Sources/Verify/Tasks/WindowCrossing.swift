import Glibc
public import Inference
import Models

/// Generation across the end of the original window.
///
/// A text up to shortly before the end is given at once, and the rest token by token, as each
/// runtime would rotate it. The tokens beyond the window are scored.
public struct WindowCrossing: Sendable {
  /// The perplexity of one runtime beyond the original window.
  public struct Result: Equatable, Sendable {
    /// The name of the runtime.
    public var runtime: String
    /// The length at the end, in tokens.
    public var length: Int
    /// The perplexity of the tokens beyond the window.
    public var perplexity: Double
    /// The number of scored tokens.
    public var tokens: Int
    /// The perplexity if the cached keys were only rotated again at the crossing, where this rule
    /// computes them again; nil for other rules.
    public var rotatedAgain: Double?
    /// The standard error of the perplexity, from the spread of the tokens' losses; nil in a result
    /// that lacks it.
    public var standardError: Double?
  }

  /// Tokens that are generated before the end of the original window, and after it.
  private static let margin = 64

  private static func margin(_ originalWindow: Int) -> Int { min(margin, originalWindow / 4) }

  /// The tokens of a whole sequence.
  static func length(_ originalWindow: Int) -> Int { originalWindow + margin(originalWindow) }

  private let sequences: [Scoring.Sequence]
  private let length: Int

  /// The number of texts unless another one is given.
  static let defaultTexts = 4

  /// Divides a text into sequences that cross the end of the original window.
  /// - Throws: `ModelError` for a text or a window that is too short.
  public init(_ text: [Int], originalWindow: Int, beginning: Int?, maximumWindows: Int) throws {
    let lead = beginning.map { [$0] } ?? []
    let margin = Self.margin(originalWindow)
    length = Self.length(originalWindow)
    let (step, length) = (length - lead.count, length)
    guard margin > 0, text.count >= step else {
      throw ModelError.unsupported(
        "crossing", "the text has \(text.count) tokens, expected at least \(step)")
    }
    sequences = (0..<min(maximumWindows, text.count / step)).map { number in
      Scoring.Sequence(
        tokens: lead + text[number * step..<(number + 1) * step], prompt: originalWindow - margin,
        scored: Array(originalWindow + 1..<length))
    }
  }

  /// Measures every runtime, and calls `each` with every result.
  public func run(_ scoring: Scoring, each: (Result) throws -> Void) throws {
    var losses = scoring.policies.map { _ in [Double]() }
    var windows = scoring.policies.map { _ in 0 }
    try scoring.run(sequences) { _, policy, scores in
      losses[policy] += scores.map { -$0.logProbability }
      windows[policy] += 1
      guard windows[policy] == sequences.count else { return }
      let value = exp(losses[policy].reduce(0, +) / Double(losses[policy].count))
      try each(
        Result(
          runtime: scoring.policies[policy].name, length: length, perplexity: value,
          tokens: losses[policy].count,
          rotatedAgain: try rotatedAgain(scoring.policies[policy], scoring.forward),
          standardError: value * Perplexity.standardError(losses[policy])))
    }
  }

  /// The perplexity with keys that are rotated again rather than computed again.
  private func rotatedAgain(_ policy: RopePolicy, _ forward: ForwardPass) throws -> Double? {
    guard let (limit, first, second) = policy.recomputedSwitch, limit < length - 1 else {
      return nil
    }
    let pass = forward.running(forward.model.applying(forward.model.variant(of: policy.name)))
    let losses = try sequences.flatMap { sequence in
      try pass.scores(
        of: sequence.tokens, rotatingKeysAgainAt: limit, from: first, to: second,
        scored: sequence.scored.filter { $0 > limit }
      ).map { -$0.logProbability }
    }
    return losses.isEmpty ? nil : exp(losses.reduce(0, +) / Double(losses.count))
  }
}
