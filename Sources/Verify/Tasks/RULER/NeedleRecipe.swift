/// What a needle task hides, and the haystack in which it does.
struct NeedleRecipe: Equatable, Sendable {
  enum Haystack: Sendable {
    /// `NeedleText.filler`, repeated.
    case filler
    /// Sentences of the essay.
    case essay
    /// Other needles.
    case needles
  }

  var haystack: Haystack
  var keyKind = NeedleText.Kind.words
  var valueKind = NeedleText.Kind.numbers
  var keys = 1
  /// Values of each key.
  var values = 1
  /// Keys that are asked for.
  var queries = 1

  var needles: Int { keys * values }
  /// Whether one value is asked for.
  var isSingle: Bool { queries * values == 1 }

  /// The number of words of the essay, or of other sentences, by which a haystack grows and
  /// shrinks.
  func step(length: Int) -> Int {
    if haystack == .essay { return 500 }
    return length < 4096 ? 5 : 25
  }
}

extension RULERTask {
  /// Source: lm-eval 0.4.13, tasks/ruler/niah_utils.py.
  var needle: NeedleRecipe? {
    switch self {
    case .niahSingle1: NeedleRecipe(haystack: .filler)
    case .niahSingle2: NeedleRecipe(haystack: .essay)
    case .niahSingle3: NeedleRecipe(haystack: .essay, valueKind: .uuids)
    case .niahMultikey1: NeedleRecipe(haystack: .essay, keys: 4)
    case .niahMultikey2: NeedleRecipe(haystack: .needles)
    case .niahMultikey3: NeedleRecipe(haystack: .needles, keyKind: .uuids, valueKind: .uuids)
    case .niahMultivalue: NeedleRecipe(haystack: .essay, values: 4)
    case .niahMultiquery: NeedleRecipe(haystack: .essay, keys: 4, queries: 4)
    case .variableTracking, .commonWords, .frequentWords, .squad, .hotpotQA: nil
    }
  }
}
