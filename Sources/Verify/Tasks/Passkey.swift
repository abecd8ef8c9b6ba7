import Formats
public import Inference
import Models

/// Passkey retrieval: a number among repeated sentences, asked for at the end.
public struct Passkey: Sendable {
  /// The wording of a prompt.
  public enum Style: String, CaseIterable, Sendable {
    /// LongRoPE's evaluation: lines.
    case longrope
    /// llama.cpp's passkey example: one line.
    case llamaCpp = "llama.cpp"
  }

  /// One prompt at one length, depth and sample, with its answer.
  ///
  /// Together they have exactly `length` tokens.
  struct Prompt: Sendable {
    var tokens: [Int]
    /// Where the answer begins.
    var promptLength: Int
    var key: Int
  }

  /// One prompt of a grid.
  public struct Cell: Hashable, Sendable {
    /// The length of prompt and answer, in tokens.
    public var length: Int
    /// The place of the key, from 0, right after the task, to 1, right before the question.
    public var depth: Double
    /// The number of the prompt among those of its length and depth, from 0.
    public var sample: Int

    /// Creates a cell.
    public init(length: Int, depth: Double, sample: Int) {
      self.length = length
      self.depth = depth
      self.sample = sample
    }
  }

  /// What one runtime did with one prompt.
  public struct Result: Equatable, Sendable {
    /// The name of the runtime.
    public var runtime: String
    /// The prompt.
    public var cell: Cell
    /// The number that is asked for.
    public var key: Int
    /// Whether greedy decoding gives the key and no further digit.
    public var isExact: Bool
    /// Whether the first number in ten greedy tokens is the key; nil if decoding would take
    /// too much memory.
    public var isPublished: Bool?
    /// The log-probability of the answer's tokens, less that of the likeliest tokens in their
    /// places: 0 if they are the likeliest.
    public var margin: Double
    /// What greedy decoding gives instead of the key; nil if it was not decoded.
    public var answer: String?
    /// The end of the prompt, if the key was not found.
    public var promptTail: String?
  }

  private let tokenizer: Tokenizer
  private let text: Text
  private let task: [Int]
  private let filler: [Int]
  private let question: [Int]

  /// Prepares the prompts of a style.
  public init(_ tokenizer: Tokenizer, style: Style = .longrope) {
    self.tokenizer = tokenizer
    text = Text(style)
    task = (tokenizer.beginning.map { [$0] } ?? []) + tokenizer.encode(text.task)
    filler = tokenizer.encode(text.filler)
    question = tokenizer.encode(text.question)
  }

  private struct Text: Sendable {
    var task =
      "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will quiz you about the important information there."
    var filler =
      "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. "
    var question = "What is the pass key? The pass key is"
    var needle: @Sendable (Int) -> String

    init(_ style: Style) {
      switch style {
      case .longrope:
        task += "\n"
        question = "\n" + question
        needle = { "\nThe pass key is \($0). Remember it. \($0) is the pass key.\n" }
      case .llamaCpp:
        task += " "
        filler = " " + filler.dropLast()
        question = " " + question
        needle = { " The pass key is \($0). Remember it. \($0) is the pass key." }
      }
    }
  }

  /// The prompt of a cell for a given key.
  /// - Throws: `ModelError` for a length that the sentences around the key alone exceed.
  func prompt(_ cell: Cell, key: Int) throws -> Prompt {
    let needle = tokenizer.encode(text.needle(key))
    let answer = tokenizer.encodeContinuation(" \(key)")
    guard tokenizer.decode(answer).contains(String(key)) else {
      throw ModelError.unsupported(
        "passkey", "the tokenizer has no tokens for the digits of \(key)")
    }
    let room = cell.length - task.count - needle.count - question.count - answer.count
    guard room >= 0 else {
      throw ModelError.unsupported(
        "passkey", "\(cell.length) tokens are too few: the prompt alone takes \(cell.length - room)"
      )
    }
    let before = Int((cell.depth * Double(room)).rounded())
    let haystack = (0..<room).map { filler[$0 % filler.count] }
    let start = task + haystack[..<before] + needle + haystack[before...] + question
    return Prompt(tokens: start + answer, promptLength: start.count, key: key)
  }

  /// The prompt of a cell, with its answer.
  /// - Parameters:
  ///   - cell: the length, depth and sample.
  ///   - seed: the seed of the key.
  /// - Returns: the tokens of prompt and answer, the number of those of the prompt, and the key.
  /// - Throws: `ModelError` for a length that the sentences around the key alone exceed.
  public func prompt(_ cell: Cell, seed: UInt64) throws -> (tokens: [Int], prompt: Int, key: Int) {
    let prompt = try prompt(cell, key: Self.key(cell, seed: seed))
    return (prompt.tokens, prompt.promptLength, prompt.key)
  }

  /// Asks every runtime for the key of every cell.
  ///
  /// Prompts of all lengths and depths begin alike. They share most if the deeper ones come first.
  /// - Parameters:
  ///   - cells: the prompts.
  ///   - scoring: the model and the runtimes.
  ///   - seed: the seed of the keys.
  ///   - each: called with every result as soon as it is known.
  /// - Throws: `ModelError` for a length that the sentences around the key alone exceed; whatever
  ///   the checkpoint of the forward pass throws.
  public func run(
    _ cells: [Cell], _ scoring: Scoring, seed: UInt64, each: (Result) throws -> Void
  ) throws {
    let prompts = try cells.map { try prompt($0, key: Self.key($0, seed: seed)) }
    try Run(tokenizer, cells, prompts, scoring).perform(each)
  }

  /// Five digits that depend on the cell alone, so that a part of the grid has the same keys as the
  /// whole.
  private static func key(_ cell: Cell, seed: UInt64) -> Int {
    10_000 + number(cell, seed: seed) % 90_000
  }

  /// A large number that depends on the cell, the seed and the task alone.
  static func number(_ cell: Cell, seed: UInt64, task: String = "") -> Int {
    let text =
      "\(task.isEmpty ? "" : task + " ")\(seed) \(cell.length) \(cell.depth) \(cell.sample)"
    return Int(sha256(Array(text.utf8)).prefix(12), radix: 16) ?? 0
  }
}
