import ArgumentParser
import Formats
import Models
import Numerics
import Patch
import Release
import Search
import Verify

struct FactorsSensitivityCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "sensitivity",
    abstract: "Shows which factors of a set matter, and how far each may move.",
    discussion: """
      The slope of the loss by each factor comes from a backward pass, its curvature from the losses \
      at both sides of the factor. A pair may move until perplexity has risen by 0.1 %.
      """
        + examples(
          (
            "found factors, on the half that the search did not see",
            "factors sensitivity model factors.json --length 32k --part 2/2"
          ),
          (
            "a picture, and the slopes of every layer",
            "factors sensitivity model factors.json --length 32k --svg slopes.svg --json"
          )))

  @Argument(
    help: "The model: a Hugging Face folder, or a .gguf file.", completion: .file(),
    transform: hubModel)
  var model: String

  @Argument(help: "Factors in any form, or none.", completion: .file())
  var factors: String

  @Option(
    help: ArgumentHelp(
      "The length of documents and needle prompts: 128k, 131072.", valueName: "tokens"))
  var length: TokenCount

  @Option(
    help: choiceHelp(
      "Whose loss", FactorsCompareCommand.Fitness.self, default: .perplexity),
    completion: choices(FactorsCompareCommand.Fitness.self), transform: choice)
  var fitness = FactorsCompareCommand.Fitness.perplexity

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

  @Option(help: "Documents for perplexity.")
  var documents = 5

  @Option(help: "Needles, at evenly spread depths.")
  var needles = 20

  @Option(
    help: choiceHelp("Whose needle prompt", NeedlePrompt.self, default: .paper),
    completion: choices(NeedlePrompt.self), transform: choice)
  var needlePrompt = NeedlePrompt.paper

  @Option(help: precisionHelp, completion: choices(Precision.self), transform: choice)
  var precision = Precision.exact

  @Option(
    help: ArgumentHelp("A drawing of slopes and room; it must not exist.", valueName: "file"),
    completion: .file())
  var svg: String?

  @OptionGroup(title: "Work") var work: WorkOptions

  @Option(help: "The seed of the needles.")
  var seed: UInt64 = 0

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    for (name, value) in [("documents", documents), ("needles", needles)]
    where !(1...100_000).contains(value) {
      throw ValidationError("--\(name) takes a number from 1 to 100000")
    }
  }

  func run() throws {
    if let svg, FileSystem.exists(svg) {
      throw ModelError.unsafe(svg, "already exists; name a new path")
    }
    let session = try common.open(model)
    Interruption.letCommandEnd()
    do {
      let sensitivity = try Sensitivity(options, in: session, environment: .process)
      sensitivity.remarks.forEach(common.note)
      let report = SensitivityReport(sensitivity, factors: factors, fitness: fitness)
      if let svg { try ExclusiveOutput.write(Array(report.svg.utf8), to: svg) }
      if common.json { Output.json(report.json(model)) } else { Output.result(report.text) }
    } catch EarlyStop.interrupted {
      throw Interrupted()
    }
  }

  private var options: ComparisonOptions {
    var options = ComparisonOptions(model: model, sets: [factors], length: length.value)
    options.fitness = fitness == .needle ? .needle : .perplexity
    options.texts = text
    options.part = part.value
    options.documents = documents
    options.needles = needles
    options.needlePrompt = needlePrompt
    options.precision = precision
    options.seed = seed
    options.threads = work.threadCount
    return options
  }
}
