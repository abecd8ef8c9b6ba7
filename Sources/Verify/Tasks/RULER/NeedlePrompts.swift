import Numerics

/// Draws the prompts of a needle task, of any size.
struct NeedlePrompts {
  struct Prompt {
    var text: String
    var answers: [String]
    /// The keys that are asked for, as the question lists them.
    var query: String
  }

  /// Percentages of the essay before a needle: `numpy.round(numpy.linspace(0, 100, 40))`.
  private static let depths = (0..<40).map { (Double($0) * 100 / 39).rounded(.toNearestOrEven) }
  /// The seed of the order of the needles, the same for every prompt.
  private static let orderSeed: UInt64 = 42

  let recipe: NeedleRecipe
  private let essay: RULEREssay
  private var random: PythonRandom

  init(_ recipe: NeedleRecipe, _ random: PythonRandom, _ essay: RULEREssay) {
    self.recipe = recipe
    self.random = random
    self.essay = essay
  }

  /// Draws a prompt.
  /// - Parameter size: the number of words of the essay, or of sentences for another haystack.
  /// - Throws: `ModelError` for a haystack with fewer sentences than needles.
  mutating func next(size: Int) throws -> Prompt {
    var keys: [String] = []
    var values: [[String]] = []
    for _ in 0..<recipe.keys {
      keys.append(draw(recipe.keyKind))
      values.append((0..<recipe.values).map { _ in draw(recipe.valueKind) })
    }
    let context = try haystack(size: size, needles: needles(keys, values))
    let asked = try random.requireSample(below: keys.count, recipe.queries)
    let query = Self.list(asked.map { keys[$0] })
    let text =
      NeedleText.introduction(recipe.valueKind, isSingle: recipe.isSingle) + context
      + NeedleText.question(recipe.valueKind, query: query, isSingle: recipe.isSingle)
    return Prompt(text: text, answers: asked.flatMap { values[$0] }, query: query)
  }

  private func needles(_ keys: [String], _ values: [[String]]) -> [String] {
    var needles = zip(keys, values).flatMap { key, values in
      values.map { NeedleText.needle(recipe.valueKind, key: key, value: $0) }
    }
    var order = PythonRandom(seed: Self.orderSeed)
    order.shuffle(&needles)
    return needles
  }

  private mutating func haystack(size: Int, needles: [String]) throws -> String {
    switch recipe.haystack {
    case .essay: return try inEssay(words: size, needles)
    case .filler: return try among(Array(repeating: NeedleText.filler, count: size), needles)
    case .needles:
      let others = (0..<size).map { _ in
        let key = draw(recipe.keyKind)
        return NeedleText.needle(recipe.valueKind, key: key, value: draw(recipe.valueKind))
      }
      return try among(others, needles)
    }
  }

  /// The needles at random places among sentences, each on its own line.
  private mutating func among(_ sentences: [String], _ needles: [String]) throws -> String {
    var lines = sentences
    let places = try random.requireSample(below: sentences.count, needles.count).sorted(by: >)
    for (place, needle) in zip(places, needles) { lines.insert(needle, at: place) }
    return lines.joined(separator: "\n")
  }

  /// The needles at random depths between the sentences of the essay's beginning.
  ///
  /// There is an empty sentence between two needles at the same place, and before a needle at the
  /// very beginning.
  private mutating func inEssay(words: Int, _ needles: [String]) throws -> String {
    let sentences = essay.sentences(words: words)
    let depths = try random.requireSample(below: Self.depths.count, needles.count).map {
      Self.depths[$0]
    }
    let places = depths.map { Int(Double(sentences.count) * ($0 / 100)) }.sorted()
    var parts: [String] = []
    var last = 0
    for (place, needle) in zip(places, needles) {
      parts += [sentences[last..<place].joined(separator: " "), needle]
      last = place
    }
    return (parts + [sentences[last...].joined(separator: " ")]).joined(separator: " ")
  }

  private mutating func draw(_ kind: NeedleText.Kind) -> String {
    switch kind {
    case .numbers: String(random.integer(in: 1_000_000...9_999_999))
    case .words: Wonderwords.pairs[random.index(below: Wonderwords.pairs.count)]
    case .uuids: random.uuid()
    }
  }

  private static func list(_ keys: [String]) -> String {
    guard let last = keys.last, keys.count > 1 else { return keys.first ?? "" }
    return keys.dropLast().joined(separator: ", ") + ", and " + last
  }
}
