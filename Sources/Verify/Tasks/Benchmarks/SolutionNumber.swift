/// The number in which a written solution ends, as lm-eval's filters for GSM8K find it.
enum SolutionNumber {
  /// What the filters return if they find no number.
  static let none = "[invalid]"
  /// Texts that end a solution.
  static let stops = ["Question:", "</s>", "<|im_end|>"]
  /// The most tokens of a solution.
  static let mostTokens = 256

  /// The number that a score looks at.
  static func found(in solution: String, by score: Benchmark.Score) -> String {
    score == .strictMatch ? strict(solution) : flexible(solution)
  }

  /// The first number after `#### `.
  private static func strict(_ text: String) -> String {
    let expression = /#### (-?[0-9.,]+)/.matchingSemantics(.unicodeScalar)
    return text.firstMatch(of: expression).map { String($0.1) } ?? none
  }

  /// The last number anywhere.
  private static func flexible(_ text: String) -> String {
    let expression = /-?[$0-9.,]{2,}|-?[0-9]+/.matchingSemantics(.unicodeScalar)
    return text.matches(of: expression).last.map { String($0.0) } ?? none
  }

  /// A number, or a solution that ends in one, in the form in which both are compared.
  static func normalized(_ text: String) -> String {
    var text = String(text.unicodeScalars.filter { $0 != "," && $0 != "$" })
    if let mark = text.ranges(of: "#### ").last { text = String(text[mark.upperBound...]) }
    if text.hasSuffix(".") { text.removeLast() }
    return text.lowercased()
  }

  /// A solution up to the first text that ends it.
  static func beforeStop(_ text: String, _ stops: [String]) -> String {
    stops.reduce(text) { text, stop in
      text.firstRange(of: stop).map { String(text[..<$0.lowerBound]) } ?? text
    }
  }
}
