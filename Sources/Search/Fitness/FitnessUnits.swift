import Formats
public import Inference
import Models
import Verify

/// The fixed units of a run: its documents and needle prompts.
public struct FitnessUnits: Sendable {
  /// The units in the order of evaluation, which the seed determines.
  public let units: [FitnessUnit]
  /// The factor of each unit's loss, so that the mean over all units is the fitness.
  let weights: [Double]
  /// The SHA-256 of all units: their tokens, and how many are scored.
  public let sha256: String

  /// Takes documents from texts, and makes needle prompts.
  /// - Parameter whole: the tokens of each text, without a beginning token.
  /// - Throws: `ModelError` for texts that are too short.
  public init(_ settings: FitnessSettings, texts whole: [[Int]], tokenizer: Tokenizer) throws {
    precondition((1...settings.parts).contains(settings.part))
    guard settings.length >= 4 else {
      throw ModelError.unsupported(
        "fitness", "a length of \(settings.length) tokens is too short: at least 4 are needed")
    }
    let texts = whole.map { text in
      Array(
        text[
          text.count * (settings.part - 1) / settings.parts..<text.count * settings.part
            / settings.parts])
    }
    var units = try Self.documents(settings, texts, tokenizer.beginning)
    units += try Self.needles(settings, texts, tokenizer)
    guard !units.isEmpty else {
      throw ModelError.unsupported("fitness", "there are neither documents nor needles")
    }
    var random = SearchRandom(seed: settings.seed &+ 0x5EED)
    units = random.shuffled(units.count).map { units[$0] }
    self.units = units
    let needles = units.count { $0.kind != .perplexity }
    let documents = units.count - needles
    let share = needles == 0 ? 0 : documents == 0 ? 1 : settings.needleWeight
    weights = units.map { unit in
      if unit.kind == .both { return 1 }
      let (part, count) = unit.kind == .needle ? (share, needles) : (1 - share, documents)
      return part * Double(units.count) / Double(count)
    }
    sha256 = Formats.sha256(
      units.flatMap { unit in
        unit.sequence.tokens.flatMap { token in
          (0..<4).map { UInt8(truncatingIfNeeded: token >> (8 * $0)) }
        }
          + [UInt8(truncatingIfNeeded: unit.sequence.scored.count)]
      })
  }

  /// The number of units.
  public var count: Int { units.count }

  /// The number of tokens to evaluate together, so that needle prompts share their beginning.
  private static let pieceTokens = 32 << 10

  /// Splits units into pieces that are evaluated together.
  ///
  /// The pieces do not depend on the number of workers.
  func pieces(of range: Range<Int>) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var tokens = 0
    for index in range {
      let count = units[index].sequence.tokens.count
      if let last = pieces.last, tokens + count <= Self.pieceTokens {
        pieces[pieces.count - 1] = last.lowerBound..<index + 1
        tokens += count
      } else {
        pieces.append(index..<index + 1)
        tokens = count
      }
    }
    return pieces
  }

  /// The number of tokens in a range of units.
  public func tokens(in range: Range<Int>) -> Int {
    units[range].reduce(0) { $0 + $1.sequence.tokens.count }
  }

  // MARK: Documents

  /// Documents at places that are evenly spread over all texts.
  private static func documents(
    _ settings: FitnessSettings, _ texts: [[Int]], _ beginning: Int?
  ) throws -> [FitnessUnit] {
    guard settings.documents > 0 else { return [] }
    let size = settings.length - (beginning == nil ? 0 : 1)
    let starts = try spread(settings.documents, over: texts, size: size, "perplexity")
    guard let method = Perplexity.Method(rawValue: settings.method) else {
      throw ModelError.unsupported(
        "perplexity",
        "unknown method '\(settings.method)'; expected \(Perplexity.Method.alternatives)")
    }
    return try starts.flatMap { start -> [FitnessUnit] in
      let text = Array(texts[start.text][start.place...])
      if method == .truncate {
        let tokens = (beginning.map { [$0] } ?? []) + text.prefix(size)
        return [unit(.perplexity, tokens, prompt: tokens.count, scored: Array(1..<tokens.count))]
      }
      let windows = try Perplexity(
        text, length: settings.length, method: method, stride: settings.stride,
        beginning: beginning, maximumWindows: 2)
      return windows.sequences.map { FitnessUnit(kind: .perplexity, sequence: $0) }
    }
  }

  private static func unit(_ kind: FitnessUnit.Kind, _ tokens: [Int], prompt: Int, scored: [Int])
    -> FitnessUnit
  {
    FitnessUnit(
      kind: kind, sequence: Scoring.Sequence(tokens: tokens, prompt: prompt, scored: scored))
  }

  private static func spread(
    _ count: Int, over texts: [[Int]], size: Int, _ subject: String
  ) throws -> [(text: Int, place: Int)] {
    let places = texts.map { max(0, $0.count - size + 1) }
    let total = places.reduce(0, +)
    let disjoint = texts.reduce(0) { $0 + $1.count / max(1, size) }
    guard disjoint >= count else {
      throw ModelError.unsupported(
        subject,
        "the texts have \(texts.reduce(0) { $0 + $1.count }) tokens, enough for \(disjoint) documents of \(size): \(count) are needed"
      )
    }
    return (0..<count).map { number in
      var place = count == 1 ? 0 : number * (total - 1) / (count - 1)
      for (index, room) in places.enumerated() {
        if place < room { return (index, place) }
        place -= room
      }
      return (texts.count - 1, 0)
    }
  }

  // MARK: Needles

  private static func needles(
    _ settings: FitnessSettings, _ texts: [[Int]], _ tokenizer: Tokenizer
  ) throws -> [FitnessUnit] {
    guard settings.needles > 0 else { return [] }
    let count = settings.needles
    let all = texts.flatMap(\.self)
    if settings.needlePrompt == .keys { return try keys(settings, all, tokenizer) }
    return try (0..<count).map { number in
      let depth = settings.needlesAtStart || count == 1 ? 0 : Double(number) / Double(count - 1)
      let cell = Passkey.Cell(length: settings.length, depth: depth, sample: number)
      let prompt: (tokens: [Int], prompt: Int)
      if settings.needlePrompt == .passkey {
        let made = try Passkey(tokenizer).prompt(cell, seed: settings.seed)
        prompt = (made.tokens, made.prompt)
      } else {
        let hay = try haystack(number, of: count, settings.length, all)
        let needle = try Needle(
          tokenizer, haystack: hay, wording: settings.needlePrompt == .paper ? .paper : .released)
        prompt = try needle.tokens(cell, seed: settings.seed)
      }
      var made = unit(
        .needle, prompt.tokens, prompt: prompt.prompt,
        scored: Array(prompt.prompt..<prompt.tokens.count))
      made.depth = depth
      return made
    }
  }

  /// The haystack of one of several needles: each is put into another part of the texts.
  private static func haystack(
    _ number: Int, of count: Int, _ length: Int, _ all: [Int]
  ) throws(ModelError) -> [Int] {
    guard !all.isEmpty else { throw .unsupported("needle", "the texts have no tokens") }
    let start = number * all.count / count
    return (0..<length).map { all[(start + $0) % all.count] }
  }

  /// Prompts with several keys, whose haystacks may count as documents.
  private static func keys(
    _ settings: FitnessSettings, _ all: [Int], _ tokenizer: Tokenizer
  ) throws -> [FitnessUnit] {
    if settings.scoresHaystack, all.count < settings.needles * settings.length {
      throw ModelError.unsupported(
        "needle",
        "the texts have \(all.count) tokens, too few for \(settings.needles) prompts of \(settings.length) that are documents too"
      )
    }
    var random = SearchRandom(seed: settings.seed &+ 0x4E7)
    return try (0..<settings.needles).map { number in
      let hay = try haystack(number, of: settings.needles, settings.length, all)
      let prompt = try KeyPrompt(tokenizer, length: settings.length, hay: hay, &random)
      guard settings.scoresHaystack else {
        return unit(.needle, prompt.tokens, prompt: prompt.tokens.count, scored: prompt.digits)
      }
      var both = unit(
        .both, prompt.tokens, prompt: prompt.tokens.count,
        scored: prompt.haystack + prompt.digits)
      let (document, needle) = (1 - settings.needleWeight, settings.needleWeight)
      both.sequence.weights =
        prompt.haystack.map { _ in document / Double(prompt.haystack.count) }
        + prompt.digits.map { _ in needle / Double(prompt.digits.count) }
      return both
    }
  }
}
