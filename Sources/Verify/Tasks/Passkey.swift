import Formats
public import Inference
import Models

/// Passkey retrieval: a number among repeated sentences, asked for at the end.
public struct Passkey: Sendable {
  /// Whose prompt is used.
  public enum Style: String, CaseIterable, Sendable {
    /// LongRoPE's evaluation: lines.
    case longrope
    /// llama.cpp's passkey example: one line.
    case llamaCpp = "llama.cpp"
  }

  /// One prompt at one length, depth and sample, with its answer. Together they have exactly `length`
  /// tokens.
  struct Prompt: Sendable {
    var tokens: [Int]
    /// Where the answer begins.
    var promptLength: Int
    var key: Int
  }

  /// One prompt of a grid.
  public struct Cell: Hashable, Sendable {
    public var length: Int
    /// From 0, right after the task, to 1, right before the question.
    public var depth: Double
    public var sample: Int

    public init(length: Int, depth: Double, sample: Int) {
      self.length = length
      self.depth = depth
      self.sample = sample
    }
  }

  /// What one runtime did with one prompt.
  public struct Result: Equatable, Sendable {
    public var runtime: String
    public var cell: Cell
    public var key: Int
    /// Whether greedy decoding gives the key and no further digit.
    public var isExact: Bool
    /// Whether the first number in ten greedy tokens is the key; nil if there is no memory for
    /// decoding.
    public var isPublished: Bool?
    /// The log-probability of the answer's tokens, less that of the likeliest tokens in their places: 0
    /// if they are the likeliest.
    public var margin: Double
  }

  private let tokenizer: Tokenizer
  private let text: Text
  private let task: [Int]
  private let filler: [Int]
  private let question: [Int]

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

  /// - Throws: `ModelError` for a length that the sentences around the key alone exceed.
  func prompt(_ cell: Cell, key: Int) throws -> Prompt {
    let needle = tokenizer.encode(text.needle(key))
    let answer = tokenizer.encodeContinuation(" \(key)")
    guard tokenizer.decode(answer).contains(String(key)) else {
      throw ModelError.unsupported("passkey", "the tokenizer has no tokens for the digits of \(key)")
    }
    let room = cell.length - task.count - needle.count - question.count - answer.count
    guard room >= 0 else {
      throw ModelError.unsupported(
        "passkey", "\(cell.length) tokens are too few: the prompt alone takes \(cell.length - room)")
    }
    let before = Int((cell.depth * Double(room)).rounded())
    let haystack = (0..<room).map { filler[$0 % filler.count] }
    let start = task + haystack[..<before] + needle + haystack[before...] + question
    return Prompt(tokens: start + answer, promptLength: start.count, key: key)
  }

  public func prompt(_ cell: Cell, seed: UInt64) throws -> (tokens: [Int], prompt: Int, key: Int) {
    let prompt = try prompt(cell, key: Self.key(cell, seed: seed))
    return (prompt.tokens, prompt.promptLength, prompt.key)
  }

  /// Asks every cell of every runtime, and calls `each` with a result as soon as it is known. Lengths
  /// and depths share the beginnings of their prompts; they share most if the deeper ones come first.
  public func run(_ cells: [Cell], _ scoring: Scoring, seed: UInt64, each: (Result) throws -> Void) throws {
    let prompts = try cells.map { try prompt($0, key: Self.key($0, seed: seed)) }
    let sequences = prompts.map { prompt in
      // One token more, so that what follows the answer is predicted too; causality keeps it from touching anything
      // else.
      Scoring.Sequence(
        tokens: prompt.tokens + [prompt.tokens[0]], prompt: prompt.promptLength,
        scored: Array(prompt.promptLength...prompt.tokens.count))
    }
    let generators = scoring.policies.map { Generator(scoring.forward, $0) }
    let all = Array(scoring.policies.indices)
    func score(_ numbers: [Int], _ policies: [Int]) throws {
      let part = Scoring(scoring.forward, policies.map { scoring.policies[$0] })
      try part.run(numbers.map { sequences[$0] }) { place, index, scores in
        let (number, policy) = (numbers[place], policies[index])
        let result = judge(cells[number], prompts[number], scores, scoring.policies[policy].name)
        try each(result.isExact ? result : published(result, prompts[number], generators[policy]))
      }
    }
    // A runtime that fails the first cell of a length probably fails its others, which then need
    // decoding too: one prefill on a cache gives both scores.
    var decoding: [Int: [Int]] = [:]
    for number in cells.indices where decoding[cells[number].length] == nil {
      let (cell, prompt) = (cells[number], prompts[number])
      let (small, large) = (
        all.filter { generators[$0].fitsEasily(prompt.tokens.count + 10) },
        all.filter { !generators[$0].fitsEasily(prompt.tokens.count + 10) }
      )
      decoding[cell.length] = try decode(cell, prompt, small, scoring, generators, each)
      try score([number], large)
    }
    let firsts = Set(
      cells.indices.filter { number in cells.firstIndex { $0.length == cells[number].length } == number })
    let rest = Dictionary(grouping: cells.indices.filter { !firsts.contains($0) }) { decoding[cells[$0].length] ?? [] }
    for (decoding, numbers) in rest.sorted(by: { $0.value[0] < $1.value[0] }) {
      try score(numbers, all.filter { !decoding.contains($0) })
      for number in numbers { _ = try decode(cells[number], prompts[number], decoding, scoring, generators, each) }
    }
  }

  /// Asks one cell on the runtimes' caches. Runtimes that rotate alike are computed once.
  /// - Returns: the runtimes that did not find the key.
  private func decode(
    _ cell: Cell, _ prompt: Prompt, _ policies: [Int], _ scoring: Scoring, _ generators: [Generator],
    _ each: (Result) throws -> Void
  ) throws -> [Int] {
    let start = Array(prompt.tokens[..<prompt.promptLength])
    let answer = Array(prompt.tokens[prompt.promptLength...])
    var known: [(generator: Generator, result: Result)] = []
    for policy in policies {
      let generator = generators[policy]
      let name = scoring.policies[policy].name
      if var result = known.first(where: { $0.generator.worksAlike(generator, prompt: start.count, count: 10) })?.result
      {
        result.runtime = name
        known.append((generator, result))
      } else {
        let result = judge(cell, prompt, try generator.evaluate(start, answer: answer, count: 10), name)
        known.append((generator, result.isExact ? result : try published(result, prompt, generator)))
      }
      try each(known[known.count - 1].result)
    }
    return zip(policies, known).filter { !$1.result.isExact }.map(\.0)
  }

  private func judge(_ cell: Cell, _ prompt: Prompt, _ scores: [TokenScore], _ runtime: String) -> Result {
    let answer = scores.dropLast()
    let isRight = zip(answer, prompt.tokens[prompt.promptLength...]).allSatisfy { $0.greedy == $1 }
    let next = tokenizer.bytes(of: scores.last?.greedy ?? 0)
    let isExact = isRight && !(next.first.map(Self.isDigit) ?? false)
    return Result(
      runtime: runtime, cell: cell, key: prompt.key, isExact: isExact, isPublished: isExact,
      margin: answer.reduce(0) { $0 + $1.logProbability - $1.greedyLogProbability })
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// LongRoPE's own score, which is decoded only if the strict one fails.
  private func published(
    _ result: Result, _ prompt: Prompt, _ generator: Generator
  ) throws -> Result {
    var result = result
    guard generator.fits(prompt.promptLength + 10) else {
      result.isPublished = nil
      return result
    }
    let tokens = try generator.generate(Array(prompt.tokens[..<prompt.promptLength]), count: 10)
    result.isPublished = isKey(prompt.key, in: tokens)
    return result
  }

  /// Whether the first digits are the key, compared as numbers, as LongRoPE's evaluation does.
  private func isKey(_ key: Int, in tokens: [Int]) -> Bool {
    let digits = tokens.flatMap(tokenizer.bytes).drop { !Self.isDigit($0) }.prefix(while: Self.isDigit)
    return Int(String(decoding: digits, as: UTF8.self)) == key
  }

  /// Five digits that depend on the cell alone, so that a part of the grid has the same keys as the
  /// whole.
  private static func key(_ cell: Cell, seed: UInt64) -> Int { 10_000 + number(cell, seed: seed) % 90_000 }

  /// A large number that depends on the cell, the seed and the task alone.
  static func number(_ cell: Cell, seed: UInt64, task: String = "") -> Int {
    let text = "\(task.isEmpty ? "" : task + " ")\(seed) \(cell.length) \(cell.depth) \(cell.sample)"
    return Int(sha256(Array(text.utf8)).prefix(12), radix: 16) ?? 0
  }
}
