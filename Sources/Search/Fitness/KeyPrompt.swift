import Inference
import Models

/// A prompt with several pass keys at evenly spread depths, each under a name, and all asked for at
/// its end in another order.
///
/// One forward pass measures retrieval from every depth; other needle prompts measure one depth
/// each.
struct KeyPrompt {
  /// The prompt with its answers.
  let tokens: [Int]
  /// The positions of the haystack's own tokens, but for the first.
  let haystack: [Int]
  /// The positions of the digits in the answers.
  let digits: [Int]

  /// The most keys in a prompt.
  private static let mostKeys = 8
  /// The least room for each key, so that short prompts have fewer.
  private static let tokensAKey = 120

  private static let names = [
    "Falcon", "River", "Garden", "Winter", "Copper", "Violet", "Harbor", "Meadow", "Orchid",
    "Thunder", "Marble", "Canyon", "Silver", "Lantern", "Willow", "Ember", "Compass", "Saffron",
    "Glacier", "Pepper", "Velvet", "Anchor", "Maple", "Comet",
  ]

  /// - Parameters:
  ///   - length: the tokens of the whole prompt.
  ///   - hay: the haystack, of at least `length` tokens.
  ///   - random: draws names, keys and the order of the questions.
  /// - Throws: `ModelError` if the length has no room for two keys.
  init(
    _ tokenizer: Tokenizer, length: Int, hay: [Int], _ random: inout SearchRandom
  ) throws(ModelError) {
    let count = max(2, min(Self.mostKeys, length / Self.tokensAKey))
    let names = random.shuffled(Self.names.count).prefix(count).map { Self.names[$0] }
    let keys = names.map { _ in 10_000 + random.index(below: 90_000) }
    let needles = zip(names, keys).map { name, key in
      tokenizer.encode(
        "\nThe pass key of \(name) is \(key). Remember it. \(key) is the pass key of \(name).\n")
    }

    var end = tokenizer.encode("\nWhat are the pass keys?")
    var digits: [Range<Int>] = []
    for index in random.shuffled(count) {
      end += tokenizer.encodeContinuation(" The pass key of \(names[index]) is")
      let answer = tokenizer.encodeContinuation(" \(keys[index])")
      digits.append(end.count..<end.count + answer.count)
      end += answer + tokenizer.encodeContinuation(".")
    }

    let beginning = [tokenizer.beginning].compactMap(\.self)
    let room = length - beginning.count - needles.reduce(0) { $0 + $1.count } - end.count
    guard room >= count, hay.count >= room else {
      throw .unsupported(
        "needle", "\(length) tokens are too few: keys and questions alone take \(length - room)")
    }
    var tokens = beginning
    var haystack: [Int] = []
    var place = 0
    for (index, needle) in needles.enumerated() {
      let next = room * index / (count - 1)
      haystack += tokens.count..<tokens.count + next - place
      tokens += hay[place..<next] + needle
      place = next
    }
    self.haystack = haystack.filter { $0 > 0 }
    self.digits = digits.flatMap { $0.map { $0 + tokens.count } }
    self.tokens = tokens + end
  }
}
