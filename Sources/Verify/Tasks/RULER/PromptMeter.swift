/// Counts the tokens of ever longer prompts until they reach a limit, few of them.
///
/// RULER makes a prompt longer step by step and counts each. Counting is slow, so far from the limit prompts are passed
/// over until their bytes have covered half of what was left: one at the limit already would have to have twice the
/// tokens a byte in what was added. Near the limit, where words alone tell prompts apart, each is counted.
struct PromptMeter {
  /// What must be left for passing prompts over.
  private static let leastTokens = 2048

  let limit: Int
  private let countTokens: (String) -> Int
  private var bytesToPass = 0

  init(limit: Int, _ countTokens: @escaping (String) -> Int) {
    self.limit = limit
    self.countTokens = countTokens
  }

  /// The tokens of `prompt`, or nil for one that is surely below the limit.
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
