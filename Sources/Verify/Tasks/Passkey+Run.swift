import Inference

extension Passkey {
  /// One run over cells and runtimes.
  ///
  /// Cells and runtimes are named by their indices.
  struct Run {
    /// Tokens that LongRoPE's own score decodes.
    private static let decodedTokens = 10

    private let tokenizer: Tokenizer
    private let cells: [Cell]
    private let prompts: [Prompt]
    private let scoring: Scoring
    private let generators: [Generator]

    init(_ tokenizer: Tokenizer, _ cells: [Cell], _ prompts: [Prompt], _ scoring: Scoring) {
      self.tokenizer = tokenizer
      self.cells = cells
      self.prompts = prompts
      self.scoring = scoring
      generators = scoring.policies.map { Generator(scoring.forward, $0) }
    }

    /// Asks for all keys, and calls `each` with every result.
    ///
    /// A runtime that fails the first cell of a length probably fails its others, which then need
    /// decoding too: one prefill on a cache gives both scores.
    func perform(_ each: (Result) throws -> Void) throws {
      let firsts = firstCells
      var failed: [Int: [Int]] = [:]
      for cell in firsts { failed[cells[cell].length] = try begin(cell, each) }
      let rest = Dictionary(grouping: cells.indices.filter { !firsts.contains($0) }) {
        failed[cells[$0].length] ?? []
      }
      for (failed, cells) in rest.sorted(by: { $0.value[0] < $1.value[0] }) {
        try score(cells, scoring.policies.indices.filter { !failed.contains($0) }, each)
        for cell in cells { _ = try decode(cell, failed, each) }
      }
    }

    /// The first cell of each length.
    private var firstCells: [Int] {
      var seen: Set<Int> = []
      return cells.indices.filter { seen.insert(cells[$0].length).inserted }
    }

    /// Asks for the first key of a length.
    /// - Returns: the runtimes that did not find it on their caches.
    private func begin(_ cell: Int, _ each: (Result) throws -> Void) throws -> [Int] {
      let needed = prompts[cell].tokens.count + Self.decodedTokens
      let all = scoring.policies.indices
      let failed = try decode(cell, all.filter { generators[$0].fitsEasily(needed) }, each)
      try score([cell], all.filter { !generators[$0].fitsEasily(needed) }, each)
      return failed
    }

    // MARK: Without a cache

    private func score(
      _ cells: [Int], _ policies: [Int], _ each: (Result) throws -> Void
    ) throws {
      let part = Scoring(scoring.forward, policies.map { scoring.policies[$0] })
      try part.run(cells.map { sequence(prompts[$0]) }) { place, index, scores in
        let (cell, policy) = (cells[place], policies[index])
        let result = judge(cell, policy, scores)
        let begun = tokenizer.bytes(ofGreedy: scores, answer: prompts[cell].answer)
        if !result.isExact, let isPublished = Self.isKey(prompts[cell].key, begun: begun) {
          try each(missed(result, cell, isPublished, String(decoding: begun, as: UTF8.self)))
        } else {
          try each(published(result, cell, policy))
        }
      }
    }

    /// The prompt with its answer and one token more, so that what follows the answer is predicted
    /// too.
    private func sequence(_ prompt: Prompt) -> Scoring.Sequence {
      Scoring.Sequence(
        tokens: prompt.tokens + [prompt.tokens[0]], prompt: prompt.promptLength,
        scored: Array(prompt.promptLength...prompt.tokens.count))
    }

    // MARK: On a cache

    /// Asks for one key on the caches of several runtimes.
    ///
    /// Runtimes that rotate the prompt alike are computed once.
    /// - Returns: the runtimes that did not find the key.
    private func decode(
      _ cell: Int, _ policies: [Int], _ each: (Result) throws -> Void
    ) throws -> [Int] {
      var known: [(policy: Int, result: Result)] = []
      for policy in policies {
        let same = known.first { isSame($0.policy, policy, cell) }
        var result = try same?.result ?? decode(cell, policy)
        result.runtime = scoring.policies[policy].name
        known.append((policy, result))
        try each(result)
      }
      return known.filter { !$0.result.isExact }.map(\.policy)
    }

    private func isSame(_ policy: Int, _ other: Int, _ cell: Int) -> Bool {
      generators[policy].generatesSame(
        generators[other], prompt: prompts[cell].promptLength, count: Self.decodedTokens)
    }

    private func decode(_ cell: Int, _ policy: Int) throws -> Result {
      let prompt = prompts[cell]
      let scores = try generators[policy].evaluate(
        prompt.question, answer: prompt.answer, count: Self.decodedTokens)
      return try published(judge(cell, policy, scores), cell, policy)
    }

    // MARK: Scores

    /// The strict score: the key, and no further digit.
    private func judge(_ cell: Int, _ policy: Int, _ scores: [TokenScore]) -> Result {
      let prompt = prompts[cell]
      let answer = scores.dropLast()
      let isRight = zip(answer, prompt.answer).allSatisfy { $0.greedy == $1 }
      let next = tokenizer.bytes(of: scores.last?.greedy ?? 0)
      let isExact = isRight && !(next.first.map(Self.isDigit) ?? false)
      return Result(
        runtime: scoring.policies[policy].name, cell: cells[cell], key: prompt.key,
        isExact: isExact, isPublished: isExact,
        margin: answer.reduce(0) { $0 + $1.logProbability - $1.greedyLogProbability })
    }

    /// Adds LongRoPE's own score, which is decoded only if the strict one fails.
    private func published(_ result: Result, _ cell: Int, _ policy: Int) throws -> Result {
      guard !result.isExact else { return result }
      let (prompt, generator) = (prompts[cell], generators[policy])
      guard generator.fits(prompt.promptLength + Self.decodedTokens) else {
        return missed(result, cell, nil, nil)
      }
      let tokens = try generator.generate(prompt.question, count: Self.decodedTokens)
      let isPublished = Self.number(tokens.flatMap(tokenizer.bytes)) == prompt.key
      return missed(result, cell, isPublished, tokenizer.decode(tokens))
    }

    /// The result of a prompt that fails the strict score.
    private func missed(
      _ result: Result, _ cell: Int, _ isPublished: Bool?, _ answer: String?
    ) -> Result {
      var result = result
      result.promptTail = tokenizer.tail(of: prompts[cell].question)
      result.isPublished = isPublished
      result.answer = answer
      return result
    }

    /// The first number in a text, as LongRoPE's evaluation finds it.
    private static func number(_ text: [UInt8]) -> Int? {
      let digits = text.drop { !isDigit($0) }.prefix(while: isDigit)
      return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Whether the first number in a text is the key, if the beginning of the text decides that.
    static func isKey(_ key: Int, begun text: [UInt8]) -> Bool? {
      let rest = text.drop { !isDigit($0) }
      let digits = rest.prefix(while: isDigit)
      if digits.isEmpty { return nil }
      if digits.count < rest.count { return number(text) == key }
      // The number may go on, or begin with zeros.
      let significant = digits.drop { $0 == UInt8(ascii: "0") }
      return String(key).utf8.starts(with: significant) ? nil : false
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
  }
}

extension Passkey.Prompt {
  /// The tokens before the answer.
  fileprivate var question: [Int] { Array(tokens[..<promptLength]) }
  fileprivate var answer: [Int] { Array(tokens[promptLength...]) }
}

extension Tokenizer {
  /// What greedy decoding begins with: the answer as far as it is the likeliest, and the likeliest
  /// token after that.
  fileprivate func bytes(ofGreedy scores: [TokenScore], answer: [Int]) -> [UInt8] {
    let same = zip(scores, answer).prefix { $0.greedy == $1 }.count
    return scores.prefix(same + 1).flatMap { bytes(of: $0.greedy) }
  }

  /// The text of the last tokens of a prompt.
  func tail(of prompt: some BidirectionalCollection<Int>) -> String {
    decode(Array(prompt.suffix(24)))
  }
}
