import ArgumentParser
import Formats
import Models
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

  @OptionGroup var evaluation: EvaluationArguments

  @Option(help: "Documents for perplexity.")
  var documents = 5

  @Option(help: "Needles, at evenly spread depths.")
  var needles = 20

  @Option(
    help: ArgumentHelp("A drawing of slopes and room; it must not exist.", valueName: "file"),
    completion: .file())
  var svg: String?

  @OptionGroup(title: "Work") var work: WorkOptions

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
    try refuseSwap(model: model, factors: factors, expected: "after")
    let session = try common.open(model)
    Interruption.letCommandEnd()
    do {
      let sensitivity = try Sensitivity(options, in: session, environment: .process)
      sensitivity.remarks.forEach(common.note)
      let report = SensitivityReport(sensitivity, factors: factors, fitness: evaluation.fitness)
      if let svg { try ExclusiveOutput.write(Array(report.svg.utf8), to: svg) }
      if common.json { Output.json(report.json(model)) } else { Output.result(report.text) }
    } catch EarlyStop.interrupted {
      throw Interrupted()
    }
  }

  private var options: ComparisonOptions {
    var options = evaluation.options(model: model, sets: [factors])
    options.documents = documents
    options.needles = needles
    options.threads = work.threadCount
    return options
  }
}
