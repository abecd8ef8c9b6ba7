import ArgumentParser
import Formats
import Patch

struct FactorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "factors", abstract: "Makes, shows, compares and converts factors.",
    subcommands: [
      FactorsMakeCommand.self, FactorsCompareCommand.self, FactorsSensitivityCommand.self,
      FactorsShowCommand.self,
      FactorsConvertCommand.self,
    ])
}

struct FactorsShowCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows factors in any accepted form as a table and a plot.",
    discussion: onlyExamples(
      ("a factors file", "factors show factors.json"),
      ("those of a model", "factors show model.gguf")))

  @Argument(help: "The factors.", completion: .file())
  var factors: String

  @OptionGroup(title: "Common") var common: CommonOptions

  func run() throws {
    let source = try FactorSource(path: factors)
    if common.json { return Output.json(source.set.json) }
    for oddity in source.set.anomalies { common.note("\(oddity)") }
    Output.result(FactorTableText(source).text)
  }
}

struct FactorsConvertCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Writes factors in any accepted form as the canonical file.",
    discussion: "If the name of the output ends in .csv, the long factors are written as a table."
      + examples(
        (
          "a search result of LongRoPE's code",
          "factors convert found.csv --target-length 128k -o factors.json"
        ),
        ("for LongRoPE's code", "factors convert factors.json -o factors.csv")))

  @Argument(help: "The factors.", completion: .file())
  var factors: String

  @Option(
    name: [.short, .long], help: "The file to write; it must not exist.", completion: .file())
  var output: String

  @Option(
    help: ArgumentHelp("The original window, instead of what FACTORS says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp("The extended window, instead of what FACTORS says.", valueName: "tokens"))
  var targetLength: TokenCount?

  @OptionGroup(title: "Common") var common: CommonOptions

  func run() throws {
    var set = try FactorSource(path: factors).set
    if let originalLength { set.originalWindow = originalLength.value }
    if let targetLength { set.window = targetLength.value }
    try set.validate(factors)
    if let note = try FactorFile.write(set, to: output) { common.note(note) }
    if common.json {
      Output.json(set.json)
    } else if !common.quiet {
      Output.result("\(output): \(set.long.pairs) factors written")
    }
  }
}
