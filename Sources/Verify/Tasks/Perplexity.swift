import Formats
import Glibc
public import Inference
import Models

/// The perplexity of a text, by one of several methods.
public struct Perplexity: Sendable {
  /// How a text is divided into windows, and which of their tokens are scored.
  public enum Method: String, CaseIterable, Sendable {
    /// LongRoPE's search: documents cut off at the length, each after the beginning token. Every
    /// token but the first is scored. Documents begin at multiples of the least power of two that
    /// is not below the length.
    case truncate
    /// LongRoPE's evaluation: windows of the length that move by the stride, each after the
    /// beginning token. Each scores what the window before it has not, and the mean is over
    /// windows.
    case sliding
    /// llama-perplexity: chunks of the length over the whole text, with the beginning token in
    /// place of their first. The second half is scored.
    case llamaCpp = "llama.cpp"
    /// The guide of Hugging Face's transformers: as `sliding`, but with one beginning token before
    /// the text, and with the mean over tokens.
    case hfStride = "hf-stride"

    /// Whether windows overlap and move by the stride.
    var movesWindows: Bool { self == .sliding || self == .hfStride }
  }

  /// The perplexity of one text for one runtime, at one length.
  public struct Result: Equatable, Sendable {
    /// The name of the runtime.
    public var runtime: String
    /// The length of a window, in tokens.
    public var length: Int
    /// The perplexity.
    public var value: Double
    /// The standard error of `value`, from the spread of the tokens' losses.
    public var standardError: Double
    /// The number of scored tokens.
    public var tokens: Int
    /// The number of windows.
    public var windows: Int
    /// A digest of the windows and of the scored positions; nil in a result that lacks it.
    ///
    /// Perplexities can be compared only if their digests are equal.
    public var digest: String?
  }

  /// A window, and the positions in it that are scored.
  struct Window: Sendable {
    /// The place of its first token in the text.
    var start: Int
    var tokens: [Int]
    var scored: [Int]
  }

  /// The tokens that are scored at each length unless the number of windows is given.
  public static let tokenBudget = 16384
  /// The fewest windows of a method that moves one window over the text.
  private static let fewestMoves = 4

  private let method: Method
  let length: Int
  let windows: [Window]

  /// Divides a text into windows.
  /// - Parameters:
  ///   - text: its tokens, without a beginning token.
  ///   - beginning: the beginning token, if sequences are to have one.
  ///   - maximumWindows: the most windows; nil for as many as the budget of tokens needs.
  /// - Throws: `ModelError` for a text that is too short.
  public init(
    _ text: [Int], length: Int, method: Method, stride: Int = 256, beginning: Int?,
    maximumWindows: Int?
  ) throws {
    self.method = method
    self.length = length
    let lead = beginning.map { [$0] } ?? []
    guard length >= 4 else {
      throw ModelError.unsupported("perplexity", "a length of \(length) tokens is too short")
    }
    guard stride > 0 else {
      throw ModelError.unsupported(
        "perplexity", "the stride is \(stride) tokens, expected at least 1")
    }
    let limit = maximumWindows ?? Self.windows(length: length, method)
    switch method {
    case .truncate: windows = Self.truncated(text, length, lead, limit)
    case .sliding: windows = Self.sliding(text, length, stride, lead, limit)
    case .hfStride: windows = Self.sliding(lead + text, length, stride, [], limit)
    case .llamaCpp: windows = Self.chunks(lead + text, length, beginning, limit)
    }
    guard !windows.isEmpty else {
      throw ModelError.unsupported(
        "perplexity",
        "the text has \(text.count) tokens, too few for one window of \(length)")
    }
  }

  /// The number of windows that score the budget of tokens.
  static func windows(length: Int, _ method: Method) -> Int {
    let needed = (tokenBudget + length - 1) / length
    return switch method {
    case .truncate, .llamaCpp: needed
    case .sliding, .hfStride: max(fewestMoves, needed)
    }
  }

  /// The tokens at the beginning of a text that the windows may reach.
  static func reach(length: Int, _ method: Method, stride: Int, maximumWindows: Int?) -> Int {
    let count = maximumWindows ?? windows(length: length, method)
    let step = method == .truncate ? documentStep(length) : max(length, stride)
    let (product, overflow) = count.multipliedReportingOverflow(by: step)
    return overflow ? .max : product
  }

  /// The distance between the beginnings of documents: a power of two, so that long documents begin
  /// where short ones do and their beginnings are computed once.
  private static func documentStep(_ length: Int) -> Int {
    1 << (Int.bitWidth - (length - 1).leadingZeroBitCount)
  }

  private static func truncated(
    _ text: [Int], _ length: Int, _ lead: [Int], _ limit: Int
  ) -> [Window] {
    let (step, size) = (documentStep(length), length - lead.count)
    guard text.count >= size else { return [] }
    return (0..<min(limit, (text.count - size) / step + 1)).map {
      Window(
        start: $0 * step, tokens: lead + text[$0 * step..<$0 * step + size],
        scored: Array(1..<length))
    }
  }

  private static func sliding(
    _ text: [Int], _ length: Int, _ stride: Int, _ lead: [Int], _ limit: Int
  ) -> [Window] {
    var windows: [Window] = []
    var scoredUpTo = 0
    let size = length - lead.count
    // A text shorter than one window would say nothing about the length.
    guard text.count >= size else { return [] }
    for start in Swift.stride(from: 0, to: text.count, by: stride) where windows.count < limit {
      let end = min(start + size, text.count)
      let fresh = max(1, lead.count + scoredUpTo - start)
      windows.append(
        Window(
          start: start, tokens: lead + text[start..<end],
          scored: Array(fresh..<lead.count + end - start)))
      scoredUpTo = end
      if end == text.count { break }
    }
    return windows.filter { !$0.scored.isEmpty }
  }

  private static func chunks(_ text: [Int], _ length: Int, _ beginning: Int?, _ limit: Int)
    -> [Window]
  {
    (0..<min(limit, text.count / length)).map { number in
      var chunk = Array(text[number * length..<(number + 1) * length])
      if let beginning { chunk[0] = beginning }
      return Window(start: number * length, tokens: chunk, scored: Array(length / 2 + 1..<length))
    }
  }

  package var sequences: [Scoring.Sequence] {
    windows.map { Scoring.Sequence(tokens: $0.tokens, prompt: $0.tokens.count, scored: $0.scored) }
  }

  /// Measures several lengths for every runtime.
  ///
  /// What they share is computed once.
  public static func run(
    _ measures: [Perplexity], _ scoring: Scoring, each: (Result) throws -> Void
  ) throws {
    // By place in the text, so that windows which begin alike are neighbours.
    let order = measures.indices.flatMap { measure in
      measures[measure].windows.indices.map { (measure: measure, window: $0) }
    }.sorted { left, right in
      let starts = [left, right].map { measures[$0.measure].windows[$0.window].start }
      return (starts[0], left.measure) < (starts[1], right.measure)
    }
    var losses = measures.map { _ in scoring.policies.map { _ in [[Double]]() } }
    let sequences = measures.map(\.sequences)
    try scoring.run(order.map { sequences[$0.measure][$0.window] }) {
      number, policy, scores in
      let measure = order[number].measure
      losses[measure][policy].append(scores.map { -$0.logProbability })
      if losses[measure][policy].count == measures[measure].windows.count {
        try each(measures[measure].result(losses[measure][policy], scoring.policies[policy].name))
      }
    }
  }

  private func result(_ losses: [[Double]], _ runtime: String) -> Result {
    let all = losses.flatMap(\.self)
    let value = exp(method == .sliding ? Self.mean(losses.map(Self.mean)) : Self.mean(all))
    return Result(
      runtime: runtime, length: length, value: value,
      standardError: value * Self.standardError(all),
      tokens: all.count, windows: losses.count, digest: digest)
  }

  /// A digest of what is scored.
  private var digest: String {
    let numbers = windows.flatMap { [$0.tokens.count, $0.scored.count] + $0.tokens + $0.scored }
    let bytes = numbers.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    return String(sha256(bytes).prefix(16))
  }

  private static func mean(_ numbers: [Double]) -> Double {
    numbers.reduce(0, +) / Double(max(1, numbers.count))
  }

  /// The standard error of the mean.
  static func standardError(_ numbers: [Double]) -> Double {
    let mean = mean(numbers)
    let variance =
      numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, numbers.count - 1))
    return (variance / Double(max(1, numbers.count))).squareRoot()
  }
}
