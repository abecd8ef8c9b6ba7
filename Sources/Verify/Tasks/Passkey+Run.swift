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
        try each(published(judge(cell, policy, scores), cell, policy))
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
        Array(prompt.tokens[..<prompt.promptLength]),
        answer: Array(prompt.tokens[prompt.promptLength...]), count: Self.decodedTokens)
      return try published(judge(cell, policy, scores), cell, policy)
    }

    // MARK: Scores

    /// The strict score: the key, and no further digit.
    private func judge(_ cell: Int, _ policy: Int, _ scores: [TokenScore]) -> Result {
      let prompt = prompts[cell]
      let answer = scores.dropLast()
      let isRight = zip(answer, prompt.tokens[prompt.promptLength...]).allSatisfy {
        $0.greedy == $1
      }
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
      var result = result
      result.promptTail = tokenizer.tail(of: prompt.tokens[..<prompt.promptLength])
      guard generator.fits(prompt.promptLength + Self.decodedTokens) else {
        result.isPublished = nil
        return result
      }
      let tokens = try generator.generate(
        Array(prompt.tokens[..<prompt.promptLength]), count: Self.decodedTokens)
      result.isPublished = isKey(prompt.key, in: tokens)
      result.answer = tokenizer.decode(tokens)
      return result
    }

    /// Whether the first digits are the key, compared as numbers, as LongRoPE's evaluation does.
    private func isKey(_ key: Int, in tokens: [Int]) -> Bool {
      let digits = tokens.flatMap(tokenizer.bytes).drop { !Self.isDigit($0) }
        .prefix(while: Self.isDigit)
      return Int(String(decoding: digits, as: UTF8.self)) == key
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
  }
}

extension Tokenizer {
  /// The text of the last tokens of a prompt.
  func tail(of prompt: some BidirectionalCollection<Int>) -> String {
    decode(Array(prompt.suffix(24)))
  }
}
