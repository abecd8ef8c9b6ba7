/// A needle in a haystack of any text: one sentence at some depth, asked for at the end (arXiv 2402.13753's successor
/// measures so; the sentences are RULER's).
public struct Needle: Sendable {
  private let tokenizer: Tokenizer
  private let haystack: [Int]
  private let wording: Wording

  /// The sentences around the haystack.
  public enum Wording: Sendable {
    /// LongRoPE2, appendix C, which are RULER's.
    case paper
    /// Those of the published search's data: another key, and no question before the beginning of the answer.
    case released

    var key: String { self == .paper ? "numerous-kite" : "wandering-age" }

    var question: String {
      let prefix = NeedleText.generationPrefix(query: key)
      return self == .paper ? NeedleText.question(query: key) + " " + prefix : "\n" + prefix + ":"
    }

    /// The needle with what parts it from the haystack.
    func needle(_ value: String) -> String {
      let text = NeedleText.needle(key: key, value: value)
      return self == .paper ? " \(text) " : "\n\(text)\n"
    }
  }

  /// - Parameter text: repeated where it is too short.
  /// - Throws: `VerifyError` for a text without any token.
  public init(_ tokenizer: Tokenizer, haystack text: [Int], wording: Wording = .paper) throws {
    guard !text.isEmpty else { throw VerifyError("niah", "the text has no tokens") }
    self.tokenizer = tokenizer
    haystack = text
    self.wording = wording
  }

  struct Prompt {
    var tokens: [Int]
    var promptLength: Int
    var value: String
  }

  /// - Throws: `VerifyError` for a length that the sentences alone exceed.
  func prompt(_ cell: Passkey.Cell, seed: UInt64) throws -> Prompt {
    let value = String(1_000_000 + Passkey.number(cell, seed: seed, task: "niah") % 9_000_000)
    let introduction = (tokenizer.beginning.map { [$0] } ?? []) + tokenizer.encode(NeedleText.introduction())
    let needle = tokenizer.encode(wording.needle(value))
    let question = tokenizer.encode(wording.question)
    let answer = tokenizer.encodeContinuation(" " + value)
    let room = cell.length - introduction.count - needle.count - question.count - answer.count
    guard room >= 0 else {
      throw VerifyError("niah", "\(cell.length) tokens are too few: the prompt alone takes \(cell.length - room)")
    }
    let hay = (0..<room).map { haystack[$0 % haystack.count] }
    let before = Int((cell.depth * Double(room)).rounded())
    let start = introduction + hay[..<before] + needle + hay[before...] + question
    return Prompt(tokens: start + answer, promptLength: start.count, value: value)
  }

  /// A prompt with its answer, and where the answer begins.
  /// - Throws: `VerifyError` for a length that the sentences alone exceed.
  public func tokens(_ cell: Passkey.Cell, seed: UInt64) throws -> (tokens: [Int], prompt: Int) {
    let prompt = try prompt(cell, seed: seed)
    return (prompt.tokens, prompt.promptLength)
  }

  /// Cells for every runtime. An answer that is the likeliest continuation, token by token, needs no decoding.
  public func run(
    _ cells: [Passkey.Cell], _ scoring: Scoring, seed: UInt64, each: (AnswerResult) throws -> Void
  ) throws {
    let prompts = try cells.map { try prompt($0, seed: seed) }
    let sequences = prompts.map {
      Scoring.Sequence(
        tokens: $0.tokens, prompt: $0.promptLength, scored: Array($0.promptLength..<$0.tokens.count))
    }
    let generators = scoring.followers.map { Generator(scoring.forward, $0) }
    try scoring.run(sequences) { number, follower, scores in
      let (prompt, runtime) = (prompts[number], scoring.followers[follower])
      let answer = prompt.tokens[prompt.promptLength...]
      var output = " " + prompt.value
      if !zip(scores, answer).allSatisfy({ $0.greedy == $1 }) {
        let tokens = try generators[follower].generate(
          Array(prompt.tokens[..<prompt.promptLength]), count: answer.count + 16
        ) { tokenizer.decode($0).contains(prompt.value) }
        output = tokenizer.decode(tokens)
      }
      try each(
        AnswerResult(
          task: "niah", runtime: runtime.name, cell: cells[number], references: [prompt.value], output: output))
    }
  }
}

/// What one runtime answered to one prompt.
public struct AnswerResult: Equatable, Sendable {
  /// `niah`, or one of RULER's.
  public var task: String
  public var runtime: String
  /// RULER's tasks have no depth: 0 stands for it.
  public var cell: Passkey.Cell
  public var references: [String]
  public var output: String
  /// The share of the references that the output contains.
  public var score: Double

  init(task: String, runtime: String, cell: Passkey.Cell, references: [String], output: String) {
    self.task = task
    self.runtime = runtime
    self.cell = cell
    self.references = references
    self.output = output
    score = RULERScore.score(output, references: references)
  }
}
