import Models
import Numerics

/// Draws the prompts of vt: one chain of four assignments among repeated sentences.
struct VariableChains {
  struct Prompt {
    /// The text up to and including the question.
    var input: String
    var generationPrefix: String
    /// The names in the order of their assignment.
    var variables: [String]

    /// The text whose tokens are counted.
    var text: String { input + " " + generationPrefix + " " }
    /// The names as Python prints a list, which RULER counts as the answer.
    var listedVariables: String { "[" + variables.map { "'\($0)'" }.joined(separator: ", ") + "]" }
  }

  private static let hops = 4
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
  private static let noise = NeedleText.filler + "\n"

  private var random: PythonRandom
  private var numbers: NumPyRandom

  init(_ random: PythonRandom, _ numbers: NumPyRandom) {
    self.random = random
    self.numbers = numbers
  }

  /// Draws a prompt.
  /// - Throws: `ModelError` if there are too few sentences, or if two variables got the same name.
  mutating func next(sentences size: Int, isExample: Bool) throws -> Prompt {
    let (variables, value) = try variables(ofLength: isExample ? 3 : 5)
    var chain = ["VAR \(variables[0]) = \(value)"]
    for (from, to) in zip(variables, variables.dropFirst()) {
      chain.append("VAR \(to) = VAR \(from) ")
    }
    var sentences = Self.noise(size, atLeast: chain.count + 1)
    let places = try random.requireSample(below: sentences.count, chain.count).sorted()
    for (index, place) in places.enumerated() { sentences.insert(chain[index], at: place + index) }
    var context = sentences.joined(separator: " ")
    if sentences.contains("\n") { context = context.replacing(". \n", with: ".\n") }
    return Self.prompt(context, value: value, variables: variables)
  }

  /// Replaces the names of variables by other names, one after another, wherever they occur.
  mutating func renamed(_ example: String, _ variables: [String]) -> String {
    variables.reduce(example) { text, name in
      text.replacing(name, with: random.letters(of: Self.letters, name.count))
    }
  }

  /// The names, and the value of the first variable.
  private mutating func variables(ofLength length: Int) throws -> ([String], value: Int) {
    var names = (0...Self.hops).map { _ in random.letters(of: Self.letters, length) }
    while Set(names).count <= Self.hops { names.append(random.letters(of: Self.letters, length)) }
    let value = numbers.integer(in: 10_000..<99_999)
    guard names.count == Self.hops + 1 else {
      // lm-eval begins a second chain with the extra names, and gives up after drawing its number.
      _ = numbers.integer(in: 10_000..<99_999)
      throw ModelError.unsupported("vt", "two variables have the same name")
    }
    return (names, value)
  }

  /// The lines of the repeated text, divided into sentences if there would be too few places.
  private static func noise(_ size: Int, atLeast count: Int) -> [String] {
    let lines = Array(repeating: noise, count: max(0, size))
    guard lines.count < count else { return lines }
    return lines.flatMap { line in
      line.split(separator: ".", omittingEmptySubsequences: false).map {
        $0 == "\n" ? "\n" : $0 + "."
      }
    }
  }

  private static func prompt(_ context: String, value: Int, variables: [String]) -> Prompt {
    Prompt(
      input:
        "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n\(context)\nQuestion: Find all variables that are assigned the value \(value) in the text above.",
      generationPrefix:
        "Answer: According to the chain(s) of variable assignment in the text above, \(hops + 1) variables are assgined the value \(value), they are:",
      variables: variables)
  }
}
