/// Counts the tokens of ever longer prompts until they reach a limit, few of them.
///
/// RULER makes a prompt longer step by step and counts each. Counting is slow, so beyond 4096 tokens a prompt is passed
/// over until it has covered half of what was left: it could be at the limit already only if the added text had
/// twice the tokens a byte of the text before it.
struct PromptMeter {
  private static let leastTokens = 4096

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
    if tokens >= Self.leastTokens {
      bytesToPass = bytes + bytes * (limit - tokens) / (2 * tokens)
    }
    return tokens
  }
}
