/// Counts the tokens of longer and longer prompts until they reach a limit, skipping most of them.
///
/// RULER makes a prompt longer step by step and counts every one. Counting is slow, so far from the
/// limit prompts are skipped until their bytes have covered half of the way. A skipped prompt could
/// only reach the limit if the added text had twice as many tokens per byte. Near the limit, where
/// prompts differ by single words, each is counted.
struct PromptMeter {
  /// The fewest tokens counted, and left, for which prompts are skipped.
  private static let leastTokens = 2048

  let limit: Int
  private let countTokens: (String) -> Int
  private var bytesToPass = 0

  init(limit: Int, _ countTokens: @escaping (String) -> Int) {
    self.limit = limit
    self.countTokens = countTokens
  }

  /// The tokens of `prompt`, or nil for a prompt that is certainly below the limit.
  mutating func tokens(of prompt: String) -> Int? {
    let bytes = prompt.utf8.count
    guard bytes >= bytesToPass else { return nil }
    let tokens = countTokens(prompt)
    let rest = limit - tokens
    let isFar = tokens >= Self.leastTokens && rest > max(Self.leastTokens, limit / 16)
    bytesToPass = isFar ? bytes + bytes * rest / (2 * tokens) : 0
    return tokens
  }
}
