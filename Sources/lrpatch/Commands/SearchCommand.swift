import ArgumentParser
import Formats
import Foundation
import Models
import Numerics
import Patch
import Release
import Search
import Verify

struct SearchCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Searches for the factors of a longer window, as LongRoPE and LongRoPE2 do.",
    discussion: """
      A model that carries LongRoPE's factors already is extended further: what is found comes on \
      top of them. Ctrl-C keeps the checkpoint, and --resume continues from it as if the search had \
      never been interrupted.
      """)

  @Argument(
    help: "The model: a Hugging Face folder, or a .gguf file.", completion: .file(),
    transform: hubModel)
  var model: String

  @Option(help: ArgumentHelp("The extended window: 128k, 131072.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(
    name: [.short, .long], help: "The factors file to write; it must not exist.",
    completion: .file())
  var output: String

  // Settings are optional, because a search that is resumed has those of its checkpoint.

  @Option(
    help: "How candidates are made: \(AlgorithmName.list(AlgorithmName.standard)).",
    transform: Self.algorithm)
  var algorithm: AlgorithmName?

  @Option(
    name: .long, defaultAsFlag: "dim_mono",
    help: ArgumentHelp(
      """
      longrope as its published code does it: dim_mono, also without a value, or dim_piece_mono.
      """, valueName: "kind"))
  var asReleased: String?

  @Option(help: "What is minimised: \(FitnessKind.alternatives).", transform: choice)
  var fitness: FitnessKind?

  @Option(
    help: ArgumentHelp(
      """
      A text from which documents are taken: any text file, or a JSON list of tokens (.json); may \
      be repeated. Default: a book that ships with the program.
      """, valueName: "file"), completion: .file())
  var text: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Use one part of each text, such as 1/2, and leave the others for a test. (default: \
      \(TextPart.whole))
      """, valueName: "part"))
  var part: TextPartArgument?

  @Option(help: "Documents for perplexity. (default: \(SearchOptions.Default.documents))")
  var documents: Int?

  @Option(help: "How perplexity is measured: truncate or sliding.", transform: choice)
  var method: Perplexity.Method?

  @Option(help: "Tokens by which a sliding window moves. (default: \(Self.fitnessDefault.stride))")
  var stride: Int?

  @Option(
    help: "Needles, at evenly spread depths. (default: \(SearchOptions.Default.needles))")
  var needles: Int?

  @Option(help: "Whose needle prompt: \(NeedlePrompt.alternatives).", transform: choice)
  var needlePrompt: NeedlePrompt?

  @Flag(help: "All needles at the beginning, as in the paper, rather than at all depths.")
  var needlesAtStart = false

  @Option(
    help: """
      How much needles count with --fitness both, from 0 to 1. (default: \
      \(Self.fitnessDefault.needleWeight))
      """)
  var needleWeight: Double?

  @Option(
    help: ArgumentHelp(
      "The original window, instead of what the model says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      """
      longrope2's critical dimension as a pair's index; searched from d10 to d_tcd without it.
      """, valueName: "pair"))
  var criticalDimension: Int?

  @Option(
    help: ArgumentHelp(
      "The greatest factor; default 1.25 s, for longrope2 2 s.", valueName: "factor"))
  var maximum: Double?

  @Flag(
    help: "Search n-hat too, the first tokens that keep their angles (no runtime can express it).")
  var startTokens = false

  @Option(help: "The attention scale: su, yarn, none or a number.", transform: MscaleChoice.init)
  var mscale: MscaleChoice?

  @Flag(help: "Search the attention scale too.")
  var searchMscale = false

  @Flag(
    help: """
      An experiment: search an attention scale for each pair. They are only in the provenance of \
      the result.
      """)
  var searchPairMscales = false

  @Flag(
    help: """
      For a model that is extended: find the table for inputs up to the target length, short \
      factors within the original window, else a bucket.
      """)
  var readjust = false

  @Option(
    help: ArgumentHelp(
      """
      The set that --readjust puts its table into, in any form of FACTORS; default the model's own.
      """, valueName: "factors"), completion: .file())
  var onto: String?

  @Option(
    help: ArgumentHelp(
      "Factors to begin with, in any form of FACTORS; may be repeated.", valueName: "factors"),
    completion: .file())
  var initial: [String] = []

  @Option(
    help: "Candidates of the first population. (default: \(Self.evolutionDefault.population))")
  var population: Int?

  @Option(
    help: """
      The best of a population, which have offspring. (default: \(Self.evolutionDefault.parents))
      """)
  var parents: Int?

  @Option(help: "Mutants in each generation. (default: \(Self.evolutionDefault.mutants))")
  var mutants: Int?

  @Option(help: "Crossovers in each generation. (default: \(Self.evolutionDefault.crossovers))")
  var crossovers: Int?

  @Option(
    help: "Generations after the first population. (default: \(Self.evolutionDefault.iterations))")
  var iterations: Int?

  @Option(
    help: """
      The probability of a mutation in one pair. (default: \(Self.evolutionDefault.probability))
      """)
  var probability: Double?

  @Option(help: ArgumentHelp("Candidates in each generation of cma-es.", valueName: "count"))
  var generationSize: Int?

  @Option(help: ArgumentHelp("End after this many candidates.", valueName: "count"))
  var evaluations: Int?

  @Option(help: ArgumentHelp("End after this time, such as 90s, 30m or 2h.", valueName: "time"))
  var timeBudget: Period?

  @Flag(help: "Evaluate every candidate on everything.")
  var noRace = false

  @Option(
    help: """
      The probability with which the race may stop a candidate wrongly. (default: \
      \(Self.raceDefault.alpha))
      """)
  var raceAlpha: Double?

  @Option(
    help: """
      The share of stopped candidates that are evaluated to the end, to count those stopped \
      wrongly. (default: \(Self.raceDefault.audit))
      """)
  var raceAudit: Double?

  @Option(
    help: ArgumentHelp("Continue from a checkpoint, with its settings.", valueName: "checkpoint"),
    completion: .file())
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "The checkpoint to write after every generation; default OUTPUT.checkpoint.",
      valueName: "file"), completion: .file())
  var checkpoint: String?

  @Option(
    help: ArgumentHelp("Write a line of JSON for every generation.", valueName: "file"),
    completion: .file())
  var log: String?

  @Option(
    help: ArgumentHelp(
      "Write the factors for LongRoPE's own tools too; it must not exist.", valueName: "file"),
    completion: .file())
  var csv: String?

  @Option(
    help: ArgumentHelp(
      "Draw the convergence into an SVG file; it must not exist.", valueName: "file"),
    completion: .file())
  var svg: String?

  @Option(help: precisionHelp, transform: choice)
  var precision: Precision?

  @Option(
    help: """
      Candidates that are evaluated at the same time; default one for each thread, as far as memory \
      allows.
      """)
  var jobs: Int?

  @OptionGroup var work: WorkOptions

  @Option(
    help: """
      The seed of the search and its needles; default \(SearchOptions.Default.algorithm.defaultSeed), \
      or the published code's \(AlgorithmName.dimMono.defaultSeed).
      """)
  var seed: UInt64?

  @OptionGroup var common: CommonOptions

  private static let evolutionDefault = EvolutionSettings()
  private static let raceDefault = RaceSettings()
  private static let fitnessDefault = FitnessSettings(length: 0)

  private static func algorithm(_ name: String) throws -> AlgorithmName {
    guard let algorithm = AlgorithmName.standard.first(where: { $0.rawValue == name }) else {
      throw unknown(name, AlgorithmName.standard.map(\.rawValue))
    }
    return algorithm
  }

  func validate() throws {
    guard Set(outputs).count == outputs.count else {
      throw ValidationError("two outputs have the same name")
    }
    guard !outputs.contains("") else { throw ValidationError("an output needs a name") }
    _ = try options()
  }

  func run() throws {
    for path in [output, csv, svg].compactMap(\.self) where FileSystem.exists(path) {
      throw ModelError.unsafe(path, "already exists; name a new path")
    }
    // Whatever would keep hours of work from being written is found at once.
    for path in outputs { _ = try OutputFile(path: path) }
    let job = try SearchJob(options(), session: common.open(model), environment: .process)
    let isFirst = job.isFirst
    if isFirst { job.remarks.forEach(common.note) }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress && isFirst)
    Interruption.letCommandEnd()
    let outcome = try job.run { progress.show($0.share, SearchReport.label($0.generation)) }
    progress.end()
    if isFirst { try finish(outcome) }
  }

  // MARK: Results

  private func finish(_ outcome: SearchOutcome) throws {
    guard outcome.factors != nil else {
      if outcome.stop == .interrupted {
        common.note("interrupted before the first generation was evaluated; nothing is kept")
        throw Interrupted()
      }
      throw ModelError.unsupported(
        output, "not written: the time budget ended before the first generation was evaluated")
    }
    try SearchReport(self, outcome).write()
    // A search that came to its own end cannot be resumed.
    if outcome.stop == nil, checkpoint == nil, resume == nil {
      try? FileSystem.remove(checkpointPath)
    }
    guard let stop = outcome.stop else { return }
    common.note(Self.message(stop))
    if stop == .interrupted { throw Interrupted() }
  }

  private static func message(_ stop: EarlyStop) -> String {
    switch stop {
    case .timeBudget:
      """
      the time budget is used up; the best so far is written, and --resume continues from the \
      checkpoint
      """
    case .evaluations:
      "the requested number of candidates is evaluated; --resume continues from the checkpoint"
    case .interrupted: "interrupted; --resume continues from the last complete generation"
    }
  }
}
