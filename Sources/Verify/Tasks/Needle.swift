public import Inference
import Models

/// A needle in a haystack of any text: one sentence at some depth, asked for at the end.
///
/// LongRoPE2 (arXiv 2502.20082) measures this way. The sentences are RULER's.
public struct Needle: Sendable {
  private let tokenizer: Tokenizer
  private let haystack: [Int]
  private let wording: Wording

  /// The sentences around the haystack.
  public enum Wording: Sendable {
    /// LongRoPE2's, appendix C, which are RULER's.
    case paper
    /// Those of the published search data: another key, and no question before the beginning of the
    /// answer.
    case released

    var key: String { self == .paper ? "numerous-kite" : "wandering-age" }

    var question: String {
      let prefix = NeedleText.generationPrefix(query: key)
      return self == .paper ? NeedleText.question(query: key) + " " + prefix : "\n" + prefix + ":"
    }

    /// The needle with what separates it from the haystack.
    func needle(_ value: String) -> String {
      let text = NeedleText.needle(key: key, value: value)
      return self == .paper ? " \(text) " : "\n\(text)\n"
    }
  }

  /// Prepares prompts in a haystack.
  /// - Parameters:
  ///   - tokenizer: the model's tokenizer.
  ///   - text: the tokens of the haystack, which are repeated if they are too few.
  ///   - wording: the sentences around the haystack.
  /// - Throws: `ModelError` for a text without tokens.
  public init(_ tokenizer: Tokenizer, haystack text: [Int], wording: Wording = .paper) throws {
    guard !text.isEmpty else { throw ModelError.unsupported("niah", "the text has no tokens") }
    self.tokenizer = tokenizer
    haystack = text
    self.wording = wording
  }

  struct Prompt {
    var tokens: [Int]
    var promptLength: Int
    var value: String
  }

  /// - Throws: `ModelError` for a length that the sentences alone exceed.
  func prompt(_ cell: Passkey.Cell, seed: UInt64) throws -> Prompt {
    let value = String(1_000_000 + Passkey.number(cell, seed: seed, task: "niah") % 9_000_000)
    let introduction =
      (tokenizer.beginning.map { [$0] } ?? []) + tokenizer.encode(NeedleText.introduction())
    let needle = tokenizer.encode(wording.needle(value))
    let question = tokenizer.encode(wording.question)
    let answer = tokenizer.encodeContinuation(" " + value)
    let room = cell.length - introduction.count - needle.count - question.count - answer.count
    guard room >= 0 else {
      throw ModelError.unsupported(
        "niah", "\(cell.length) tokens are too few: the prompt alone takes \(cell.length - room)")
    }
    let hay = (0..<room).map { haystack[$0 % haystack.count] }
    let before = Int((cell.depth * Double(room)).rounded())
    let start = introduction + hay[..<before] + needle + hay[before...] + question
    return Prompt(tokens: start + answer, promptLength: start.count, value: value)
  }

  /// A prompt with its answer, and where the answer begins.
  /// - Throws: `ModelError` for a length that the sentences alone exceed.
  public func tokens(_ cell: Passkey.Cell, seed: UInt64) throws -> (tokens: [Int], prompt: Int) {
    let prompt = try prompt(cell, seed: seed)
    return (prompt.tokens, prompt.promptLength)
  }

  /// Asks every cell of every runtime.
  ///
  /// An answer that is the likeliest continuation, token by token, needs no decoding.
  public func run(
    _ cells: [Passkey.Cell], _ scoring: Scoring, seed: UInt64, each: (AnswerResult) throws -> Void
  ) throws {
    let prompts = try cells.map { try prompt($0, seed: seed) }
    let sequences = prompts.map {
      Scoring.Sequence(
        tokens: $0.tokens, prompt: $0.promptLength, scored: Array($0.promptLength..<$0.tokens.count)
      )
    }
    let generators = scoring.policies.map { Generator(scoring.forward, $0) }
    try scoring.run(sequences) { number, policy, scores in
      let (prompt, runtime) = (prompts[number], scoring.policies[policy])
      let answer = prompt.tokens[prompt.promptLength...]
      var output = " " + prompt.value
      if !zip(scores, answer).allSatisfy({ $0.greedy == $1 }) {
        let tokens = try generators[policy].generate(
          Array(prompt.tokens[..<prompt.promptLength]), count: answer.count + 16
        ) { tokenizer.decode($0).contains(prompt.value) }
        output = tokenizer.decode(tokens)
      }
      try each(
        AnswerResult(
          task: "niah", runtime: runtime.name, cell: cells[number], references: [prompt.value],
          output: output, promptTail: tokenizer.tail(of: prompt.tokens[..<prompt.promptLength])))
    }
  }
}
