/// What a needle task hides, and in what.
struct NeedleRecipe: Equatable, Sendable {
  enum Haystack: Sendable {
    /// `NeedleText.filler`, again and again.
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
  /// For each key.
  var values = 1
  /// Keys that are asked for.
  var queries = 1

  var needles: Int { keys * values }
  /// Whether one value is asked for.
  var isSingle: Bool { queries * values == 1 }

  /// By how many units a haystack grows and shrinks: words of the essay, else sentences.
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
    case .variableTracking, .commonWords, .frequentWords: nil
    }
  }
}
