import Formats

/// Passkey retrieval with LongRoPE's prompt: a number among repeated sentences, asked for at the end.
public struct Passkey: Sendable {
  private static let task =
    "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will quiz you about the important information there.\n"
  private static let filler =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. "
  private static let question = "\nWhat is the pass key? The pass key is"

  /// One prompt at one length, depth and sample, with its answer: exactly `length` tokens together.
  struct Prompt: Sendable {
    var tokens: [Int]
    /// Where the answer begins.
    var promptLength: Int
    var key: Int
  }

  /// What one runtime did with one prompt.
  public struct Result: Equatable, Sendable {
    public var runtime: String
    public var length: Int
    /// From 0, right after the task, to 1, right before the question.
    public var depth: Double
    public var sample: Int
    public var key: Int
    /// Whether greedy decoding gives the key and no further digit.
    public var isExact: Bool
    /// Log-probability of the answer's tokens, less that of the likeliest tokens in their places: 0 where all are.
    public var margin: Double
  }

  private let tokenizer: Tokenizer
  private let task: [Int]
  private let filler: [Int]
  private let question: [Int]

  public init(_ tokenizer: Tokenizer) {
    self.tokenizer = tokenizer
    task = (tokenizer.beginning.map { [$0] } ?? []) + tokenizer.encode(Self.task)
    filler = tokenizer.encode(Self.filler)
    question = tokenizer.encode(Self.question)
  }

  /// - Throws: `VerifyError` for a length that the sentences around the key alone exceed.
  func prompt(length: Int, depth: Double, key: Int) throws -> Prompt {
    let needle = tokenizer.encode("\nThe pass key is \(key). Remember it. \(key) is the pass key.\n")
    let answer = tokenizer.encode(" \(key)")
    let room = length - task.count - needle.count - question.count - answer.count
    guard room >= 0 else {
      throw VerifyError("passkey", "\(length) tokens are too few: the prompt alone takes \(length - room)")
    }
    let before = Int((depth * Double(room)).rounded())
    let haystack = (0..<room).map { filler[$0 % filler.count] }
    let start = task + haystack[..<before] + needle + haystack[before...] + question
    return Prompt(tokens: start + answer, promptLength: start.count, key: key)
  }

  /// One cell for every runtime.
  public func run(
    _ forward: ForwardPass, _ followers: [Follower], length: Int, depth: Double, sample: Int, seed: UInt64
  ) throws -> [Result] {
    let key = Self.key(length: length, depth: depth, sample: sample, seed: seed)
    let prompt = try prompt(length: length, depth: depth, key: key)
    // One token more, so that what follows the answer is predicted too; causality keeps it from touching anything else.
    let tokens = prompt.tokens + [prompt.tokens[0]]
    let positions = Array(prompt.promptLength...prompt.tokens.count)
    var shared = SharedScores(forward, tokens: tokens, prompt: prompt.promptLength)
    return try followers.map { follower in
      let scores = try shared.scores(follower, at: positions)
      let answer = scores.dropLast()
      let isRight = zip(answer, prompt.tokens[prompt.promptLength...]).allSatisfy { $0.greedy == $1 }
      let next = tokenizer.bytes(of: scores.last?.greedy ?? 0)
      let goesOn = next.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
      return Result(
        runtime: follower.name, length: length, depth: depth, sample: sample, key: key,
        isExact: isRight && !goesOn,
        margin: answer.reduce(0) { $0 + $1.logProbability - $1.greedyLogProbability })
    }
  }

  /// Five digits, by the cell alone, so that a part of the grid sees the same keys as the whole.
  private static func key(length: Int, depth: Double, sample: Int, seed: UInt64) -> Int {
    let cell = "\(seed) \(length) \(depth) \(sample)"
    let digest = sha256(Array(cell.utf8)).prefix(12)
    return 10_000 + (Int(digest, radix: 16) ?? 0) % 90_000
  }
}
