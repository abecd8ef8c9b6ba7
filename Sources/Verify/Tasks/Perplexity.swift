import Glibc

/// Perplexity of a text, with the method that made it.
public struct Perplexity: Sendable {
  public enum Method: String, CaseIterable, Sendable {
    /// LongRoPE's search: windows of the length, each begun by the beginning token, every further token scored.
    case truncate
    /// llama-perplexity: chunks of the length over the whole text, their first token replaced by the beginning token,
    /// the second half scored.
    case llamaCpp = "llama.cpp"
  }

  public struct Result: Equatable, Sendable {
    public var runtime: String
    public var length: Int
    public var value: Double
    /// Of `value`, from the spread of the tokens' losses.
    public var standardError: Double
    public var tokens: Int
    public var windows: Int
  }

  private let method: Method
  private let windows: [[Int]]
  private let scored: [Int]

  /// - Parameters:
  ///   - text: its tokens, without a beginning token.
  ///   - maximumWindows: how many windows at most.
  /// - Throws: `VerifyError` for a text that is too short.
  public init(
    _ text: [Int], length: Int, method: Method, beginning: Int?, maximumWindows: Int
  ) throws {
    self.method = method
    let lead = beginning.map { [$0] } ?? []
    guard length >= 4 else { throw VerifyError("perplexity", "a length of \(length) tokens is too short") }
    switch method {
    case .truncate:
      let step = length - lead.count
      let count = min(maximumWindows, text.count / step)
      windows = (0..<count).map { lead + text[$0 * step..<($0 + 1) * step] }
      scored = Array(1..<length)
    case .llamaCpp:
      let whole = lead + text
      let count = min(maximumWindows, whole.count / length)
      windows = (0..<count).map { number in
        var chunk = Array(whole[number * length..<(number + 1) * length])
        if let beginning { chunk[0] = beginning }
        return chunk
      }
      scored = Array(length / 2 + 1..<length)
    }
    guard !windows.isEmpty else {
      throw VerifyError("perplexity", "the text has \(text.count) tokens, too few for one window of \(length)")
    }
  }

  /// One length for every runtime.
  public func run(_ forward: ForwardPass, _ followers: [Follower]) throws -> [Result] {
    var losses = followers.map { _ in [Double]() }
    for window in windows {
      var shared = SharedScores(forward, tokens: window, prompt: window.count)
      for (index, follower) in followers.enumerated() {
        losses[index] += try shared.scores(follower, at: scored).map { -$0.logProbability }
      }
    }
    return zip(followers, losses).map { follower, losses in
      let mean = losses.reduce(0, +) / Double(losses.count)
      let variance = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, losses.count - 1))
      let value = exp(mean)
      return Result(
        runtime: follower.name, length: windows[0].count, value: value,
        standardError: value * (variance / Double(losses.count)).squareRoot(), tokens: losses.count,
        windows: windows.count)
    }
  }
}
