import ArgumentParser
import Formats
import Foundation
import Patch
import Search
import Verify

struct FactorsCompareCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compares factors on the same documents or needles, with paired intervals.",
    discussion: """
      Every set is run at the length, with its own attention scale, in the order given; differences are to the first. \
      "none" is the model without factors. A difference inside its 95 % interval is a tie.
      """)

  @Argument(help: "The model: a Hugging Face folder, or a .gguf file.", completion: .file(), transform: hubModel)
  var model: String

  @Argument(help: "Factors in any form, or none.", completion: .file())
  var factors: [String]

  @Option(help: ArgumentHelp("The length of documents and needle prompts: 128k, 131072.", valueName: "tokens"))
  var length: TokenCount

  @Option(help: "What is compared: perplexity or needle.", transform: choice)
  var fitness = Fitness.perplexity

  @Option(
    help: ArgumentHelp("A text; may be repeated. Default: a book that ships with the program.", valueName: "file"),
    completion: .file())
  var text: [String] = []

  @Option(
    help: ArgumentHelp(
      "Use one part of each text, such as 1/2, and leave the others for a test.", valueName: "part"))
  var part = TextPart()

  @Option(help: "Documents for perplexity.")
  var documents = 20

  @Option(help: "Needles, at evenly spread depths.")
  var needles = 200

  @Option(help: "Whose needle prompt: paper, released or passkey.", transform: choice)
  var needlePrompt = NeedlePrompt.paper

  @Option(help: "exact: in 32-bit floats. fast: bf16 products where the processor has them.", transform: choice)
  var precision = Precision.exact

  @OptionGroup var work: WorkOptions

  @Option(help: "The seed of the needles.")
  var seed: UInt64 = 0

  @OptionGroup var common: CommonOptions

  enum Fitness: String, CaseIterable { case perplexity, needle }

  func validate() throws {
    if factors.isEmpty { throw ValidationError("factors are missing") }
    for (name, value) in [("documents", documents), ("needles", needles)] where !(2...100_000).contains(value) {
      throw ValidationError("--\(name) takes a number from 2 to 100000")
    }
  }

  func run() throws {
    let session = try common.open(model)
    let geometry = try Inspection(session, anyFamily: true).geometry
    let tokenizer = try Tokenizer(path: model)
    var settings = FitnessSettings(length: length.value)
    settings.documents = fitness == .perplexity ? documents : 0
    settings.needles = fitness == .needle ? needles : 0
    settings.needlePrompt = needlePrompt
    settings.seed = seed
    (settings.part, settings.parts) = (part.number, part.count)
    let texts = try (text.isEmpty ? [""] : text).map { try SearchText($0, tokenizer).tokens }
    let units = try FitnessUnits(settings, texts: texts, tokenizer: tokenizer)
    let followers = try factors.map { try follower($0, geometry) }
    let forms = ClosedForm.Settings(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, originalWindow: geometry.originalWindow,
      window: length.value)
    Interruption.letCommandEnd()
    let forward = ForwardPass(try Transformer(path: model), threads: 1, precision: precision) {
      if Interruption.isPending { throw Interrupted() }
    }
    let comparison = try Comparison(
      followers, Evaluator(SearchSpace(forms, mscale: 1), units, forward, geometry: geometry),
      jobs: work.threadCount)
    if common.json { Output.json(json(comparison)) } else { Output.result(table(comparison)) }
  }

  private func follower(_ path: String, _ geometry: RopeGeometry) throws -> Follower {
    if path == "none" {
      return Follower(
        trying: Array(repeating: 1, count: geometry.rotaryDimensions / 2), startTokens: 0, mscale: 1,
        pairMscales: nil, geometry: geometry)
    }
    let set = try FactorSource(path: path).set
    guard let long = set.long.uniform, long.count * 2 == geometry.rotaryDimensions else {
      throw PatchError.unsupported(
        path, "\(set.long.pairs) factors, expected one list of \(geometry.rotaryDimensions / 2)")
    }
    let mscale = set.mscale.values(
      originalWindow: set.originalWindow ?? geometry.originalWindow, window: set.window ?? length.value)
    return Follower(
      trying: long, startTokens: set.startTokens, mscale: mscale.long, pairMscales: nil, geometry: geometry)
  }

  private func table(_ comparison: Comparison) -> String {
    func rounded(_ value: Double) -> String { InspectReport.number((value * 1000).rounded() / 1000) }
    let rows = factors.indices.map { index in
      let (own, difference) = (comparison.estimate(index), comparison.difference(index, to: 0))
      return [
        factors[index] == "none" ? "none" : FileSystem.name(of: factors[index]), rounded(own.perplexity),
        index == 0 ? "" : "\(rounded(difference.mean)) +- \(rounded(difference.halfWidth))",
        index == 0 ? "" : comparison.verdict(index, against: 0).rawValue,
      ]
    }
    let what = fitness == .needle ? "needle perplexity" : "perplexity"
    return InspectReport.columns([["factors", what, "log difference", ""]] + rows).joined(separator: "\n")
  }

  private func json(_ comparison: Comparison) -> JSONValue {
    .object([
      "schema": .string("lrpatch.comparison/1"), "model": .string(model), "length": .number(length.value),
      "fitness": .string(fitness.rawValue), "units": .number(comparison.losses[0].count),
      "sets": .array(
        factors.indices.map { index in
          let (own, difference) = (comparison.estimate(index), comparison.difference(index, to: 0))
          return .object([
            "factors": .string(factors[index]), "perplexity": .number(own.perplexity), "loss": .number(own.mean),
            "loss_half_width": .number(own.halfWidth), "difference": .number(difference.mean),
            "difference_half_width": .number(difference.halfWidth),
            "verdict": index == 0 ? .null : .string(comparison.verdict(index, against: 0).rawValue),
            "losses": .numbers(comparison.losses[index]),
          ])
        }),
    ])
  }
}
