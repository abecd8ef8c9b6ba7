import ArgumentParser
import Formats
import Models
import Patch
import Release
import Search
import Verify

struct FactorsCompareCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares factors on the same documents or needles, with paired intervals.",
    discussion: """
      Every set is run at the length, with its own attention scale, in the order given; differences \
      are to the first. "none" is the model without factors. A difference inside its 95 % interval \
      is a tie.
      """
        + examples(
          (
            "found factors against none, on the half that the search did not see",
            "factors compare model none factors.json --length 32k --part 2/2"
          ),
          (
            "by needles",
            "factors compare model a.json b.json --length 32k --fitness needle"
          )))

  @Argument(
    help: "The model: a Hugging Face folder, or a .gguf file.", completion: .file(),
    transform: hubModel)
  var model: String

  @Argument(help: "Factors in any form, or none.", completion: .file())
  var factors: [String]

  @OptionGroup var evaluation: EvaluationArguments

  @Option(help: "Documents for perplexity.")
  var documents = 20

  @Option(help: "Needles, at evenly spread depths.")
  var needles = 200

  @OptionGroup(title: "Work") var work: WorkOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if factors.isEmpty { throw ValidationError("factors are missing") }
    for (name, value) in [("documents", documents), ("needles", needles)]
    where !(2...100_000).contains(value) {
      throw ValidationError("--\(name) takes a number from 2 to 100000")
    }
  }

  func run() throws {
    try refuseSwap(model: model, factors: factors[0], expected: "after")
    let session = try common.open(model)
    Interruption.letCommandEnd()
    do {
      let comparison = try Comparison(options, in: session, environment: .process)
      comparison.remarks.forEach(common.note)
      if common.json { Output.json(json(comparison)) } else { Output.result(table(comparison)) }
    } catch EarlyStop.interrupted {
      throw Interrupted()
    }
  }

  private var options: ComparisonOptions {
    var options = evaluation.options(model: model, sets: factors)
    options.documents = documents
    options.needles = needles
    options.threads = work.threadCount
    return options
  }

  private func table(_ comparison: Comparison) -> String {
    func rounded(_ value: Double) -> String { ((value * 1000).rounded() / 1000).sixDigits }
    let rows = factors.indices.map { index in
      let own = comparison.estimate(index)
      let difference = comparison.difference(index, to: 0)
      let isNone = factors[index] == ComparisonOptions.noFactors
      return [
        isNone ? "none" : FileSystem.name(of: factors[index]), rounded(own.perplexity),
        index == 0 ? "" : "\(rounded(difference.mean)) +- \(rounded(difference.halfWidth))",
        index == 0 ? "" : comparison.verdict(index, against: 0).rawValue,
      ]
    }
    let what = evaluation.fitness == .needle ? "needle perplexity" : "perplexity"
    return TextColumns.lines([["factors", what, "log difference", ""]] + rows)
      .joined(separator: "\n")
  }

  private func json(_ comparison: Comparison) -> JSONValue {
    .object([
      "schema": DocumentSchema.comparison.json, "model": .string(model),
      "length": .number(evaluation.length.value), "fitness": .string(evaluation.fitness.rawValue),
      "units": .number(comparison.losses[0].count),
      "sets": .array(factors.indices.map { json(comparison, $0) }),
      "remarks": .array(comparison.remarks.map { .string($0) }),
    ])
  }

  private func json(_ comparison: Comparison, _ index: Int) -> JSONValue {
    let own = comparison.estimate(index)
    let difference = comparison.difference(index, to: 0)
    let verdict = comparison.verdict(index, against: 0).rawValue
    return .object([
      "factors": .string(factors[index]), "perplexity": .number(own.perplexity),
      "loss": .number(own.mean), "loss_half_width": .number(own.halfWidth),
      "difference": .number(difference.mean),
      "difference_half_width": .number(difference.halfWidth),
      "verdict": index == 0 ? .null : .string(verdict),
      "losses": .numbers(comparison.losses[index]),
    ])
  }
}
