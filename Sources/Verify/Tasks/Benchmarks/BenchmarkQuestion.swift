/// One question of a benchmark, as texts.
struct BenchmarkQuestion: Sendable {
  /// A choice: a text, and what may follow it.
  struct Choice: Sendable {
    var context: String
    var continuation: String
    /// The characters of the choice itself, by which a log-likelihood is divided.
    var characters: Int
  }

  enum Form: Sendable {
    /// The likeliest choice is the answer.
    case choice([Choice], right: Int)
    /// What the model generates after the prompt is the answer.
    case open(prompt: String, answer: String)
  }

  /// What all questions about the same subject begin with.
  var introduction = ""
  /// The subject, of which its examples must be too; empty if there is only one.
  var subject = ""
  var form: Form
  /// The question with its right answer, as it stands before another question.
  var example: String
}

extension BenchmarkQuestion {
  /// A question whose choices follow it after a space.
  init(_ text: String, choices: [String], right: Int) {
    form = .choice(
      choices.map {
        Choice(context: text, continuation: " " + $0, characters: $0.unicodeScalars.count)
      }, right: right)
    example = "\(text) \(choices[right])\n\n"
  }

  /// What precedes the choices, or the generated answer.
  var contexts: [String] {
    switch form {
    case .choice(let choices, _): choices.map(\.context)
    case .open(let prompt, _): [prompt]
    }
  }

  var continuations: [String] {
    if case .choice(let choices, _) = form { choices.map(\.continuation) } else { [] }
  }
}
