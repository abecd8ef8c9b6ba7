import ArgumentParser
import Numerics
import Search

/// What `factors compare` and `factors sensitivity` run a model on.
struct EvaluationArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The length of documents and needle prompts: 128k, 131072.", valueName: "tokens"))
  var length: TokenCount

  @Option(
    help: choiceHelp("Which loss is measured", Fitness.self, default: .perplexity),
    completion: choices(Fitness.self), transform: choice)
  var fitness = Fitness.perplexity

  @Option(
    help: ArgumentHelp(
      "A text; may be repeated. Default: a book that ships with the program.", valueName: "file"),
    completion: .file())
  var text: [String] = []

  @Option(
    help: ArgumentHelp(
      "Use one part of each text, such as 1/2, and leave the others for a test.",
      valueName: "part"))
  var part = TextPartArgument(value: .whole)

  @Option(
    help: choiceHelp("Whose needle prompt", NeedlePrompt.self, default: .paper),
    completion: choices(NeedlePrompt.self), transform: choice)
  var needlePrompt = NeedlePrompt.paper

  @Option(help: precisionHelp, completion: choices(Precision.self), transform: choice)
  var precision = Precision.exact

  @Option(help: "The seed of the needles.")
  var seed: UInt64 = 0

  enum Fitness: String, CaseIterable { case perplexity, needle }

  func options(model: String, sets: [String]) -> ComparisonOptions {
    var options = ComparisonOptions(model: model, sets: sets, length: length.value)
    options.fitness = fitness == .needle ? .needle : .perplexity
    options.texts = listedFiles(text)
    options.part = part.value
    options.needlePrompt = needlePrompt
    options.precision = precision
    options.seed = seed
    return options
  }
}

/// A part of each text on the command line: `1/2`.
struct TextPartArgument: ExpressibleByArgument, CustomStringConvertible {
  let value: TextPart

  var description: String { value.description }

  init(value: TextPart) { self.value = value }

  init?(argument: String) {
    guard let value = TextPart(argument) else { return nil }
    self.value = value
  }
}
