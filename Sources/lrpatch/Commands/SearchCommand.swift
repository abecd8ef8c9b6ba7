import ArgumentParser
import Formats
import Foundation
import Patch
import Search
import Verify

struct SearchCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "search", abstract: "Searches for the factors of a longer window, as LongRoPE and LongRoPE2 do.",
    discussion: """
      A model that carries LongRoPE's factors already is extended further: what is found comes on top of them. Ctrl-C \
      keeps the checkpoint, and --resume goes on from it as if nothing had been.
      """)

  @Argument(help: "The model: a Hugging Face folder, or a .gguf file.", completion: .file(), transform: hubModel)
  var model: String

  @Option(help: ArgumentHelp("The extended window: 128k, 131072.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(name: [.short, .long], help: "The factors file to write; it must not exist.", completion: .file())
  var output: String

  @Option(help: "How candidates are made: longrope, longrope2 or cma-es.", transform: choice)
  var algorithm = Algorithm.longrope2

  @Option(
    name: .long, defaultAsFlag: "dim_mono",
    help: ArgumentHelp(
      "longrope as its published code does it: dim_mono, also without a value, or dim_piece_mono.", valueName: "kind"))
  var asReleased: String?

  @Option(help: "What is minimised: perplexity, needle, or both.", transform: choice)
  var fitness = FitnessKind.perplexity

  @Option(
    help: ArgumentHelp(
      "A text that documents are taken from: any text file, or a JSON list of tokens (.json); may be repeated. Default: a book that ships with the program.",
      valueName: "file"), completion: .file())
  var text: [String] = []

  @Option(
    help: ArgumentHelp(
      "Use one part of each text, such as 1/2, and leave the others for a test.", valueName: "part"))
  var part = TextPart()

  @Option(help: "Documents for perplexity.")
  var documents = 5

  @Option(help: "How perplexity is measured: truncate or sliding.", transform: choice)
  var method = Perplexity.Method.truncate

  @Option(help: "Tokens that a sliding window is moved on by.")
  var stride = 256

  @Option(help: "Needles, at evenly spread depths.")
  var needles = 20

  @Option(help: "Whose needle prompt: paper, released or passkey.", transform: choice)
  var needlePrompt = NeedlePrompt.paper

  @Flag(help: "All needles at the beginning, as in the paper, rather than at all depths.")
  var needlesAtStart = false

  @Option(help: "How much needles count with --fitness both, from 0 to 1.")
  var needleWeight = 0.5

  @Option(help: ArgumentHelp("The original window, instead of what the model says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      "longrope2's critical dimension as a pair's index; searched from d10 to d_tcd without it.", valueName: "pair"))
  var criticalDimension: Int?

  @Option(help: ArgumentHelp("The greatest factor; default 1.25 s, for longrope2 2 s.", valueName: "factor"))
  var maximum: Double?

  @Flag(help: "Search n-hat too, the first tokens that keep their angles (no runtime can express it).")
  var startTokens = false

  @Option(help: "The attention scale: su, yarn, none or a number.", transform: MscaleChoice.init)
  var mscale = MscaleChoice.su

  @Flag(help: "Search the attention scale too.")
  var searchMscale = false

  @Flag(help: "An experiment: search an attention scale for each pair; they stand in the provenance alone.")
  var searchPairMscales = false

  @Flag(
    help:
      "For a model that is extended: find the table for inputs up to the target length, short factors within the original window, else a bucket."
  )
  var readjust = false

  @Option(
    help: ArgumentHelp(
      "The set that --readjust puts its table into, in any form of FACTORS; default the model's own.",
      valueName: "factors"), completion: .file())
  var onto: String?

  @Option(
    help: ArgumentHelp("Factors to begin with, in any form of FACTORS; may be repeated.", valueName: "factors"),
    completion: .file())
  var initial: [String] = []

  @Option(help: "Candidates of the first population.")
  var population = 64

  @Option(help: "The best of a population, which have offspring.")
  var parents = 32

  @Option(help: "Mutants a generation.")
  var mutants = 16

  @Option(help: "Crossovers a generation.")
  var crossovers = 16

  @Option(help: "Generations after the first population.")
  var iterations = 40

  @Option(help: "The probability of a mutation in one pair.")
  var probability = 0.3

  @Option(help: ArgumentHelp("Candidates a generation of cma-es.", valueName: "count"))
  var generationSize: Int?

  @Option(help: ArgumentHelp("End after so many candidates.", valueName: "count"))
  var evaluations: Int?

  @Option(help: ArgumentHelp("End after so long, such as 90s, 30m or 2h.", valueName: "time"))
  var timeBudget: Period?

  @Flag(help: "Evaluate every candidate on everything.")
  var noRace = false

  @Option(help: "The probability with which the race may stop a candidate wrongly.")
  var raceAlpha = 0.05

  @Option(help: "The share of those stopped that is evaluated to the end, to count the wrongly stopped.")
  var raceAudit = 0.05

  @Option(
    help: ArgumentHelp("Go on from a checkpoint, with its settings.", valueName: "checkpoint"), completion: .file())
  var resume: String?

  @Option(
    help: ArgumentHelp("The checkpoint to write after every generation; default OUTPUT.checkpoint.", valueName: "file"),
    completion: .file())
  var checkpoint: String?

  @Option(help: ArgumentHelp("Write a line of JSON for every generation.", valueName: "file"), completion: .file())
  var log: String?

  @Option(
    help: ArgumentHelp("Write the factors for LongRoPE's own tools too; it must not exist.", valueName: "file"),
    completion: .file())
  var csv: String?

  @Option(
    help: ArgumentHelp("Draw the convergence into an SVG file; it must not exist.", valueName: "file"),
    completion: .file())
  var svg: String?

  @Option(help: "exact: in 32-bit floats. fast: bf16 products where the processor has them.", transform: choice)
  var precision = Precision.exact

  @Option(help: "Candidates that are evaluated at the same time; default one a thread, as far as memory goes.")
  var jobs: Int?

  @OptionGroup var work: WorkOptions

  @Option(help: "The seed of the search and its needles; default 0, or the published code's 42.")
  var seed: UInt64?

  @OptionGroup var common: CommonOptions

  enum Algorithm: String, CaseIterable {
    case longrope, longrope2
    case cmaES = "cma-es"
  }

  /// What is run.
  var algorithmName: AlgorithmName {
    asReleased.flatMap(AlgorithmName.init) ?? AlgorithmName(rawValue: algorithm.rawValue) ?? .longrope2
  }

  /// The published code always takes 42.
  var seedNumber: UInt64 { seed ?? (asReleased == nil ? 0 : 42) }

  /// Whether the sizes are those that LongRoPE halves from 512k tokens on.
  var hasPaperSizes: Bool { (population, parents, mutants, crossovers) == (64, 32, 16, 16) }

  enum FitnessKind: String, CaseIterable { case perplexity, needle, both }

  func validate() throws {
    func require(_ isRight: Bool, _ text: String) throws { if !isRight { throw ValidationError(text) } }
    try require(targetLength != nil || resume != nil, "--target-length is missing")
    try require((1...100_000).contains(documents), "--documents takes a number from 1 to 100000")
    try require((1...100_000).contains(needles), "--needles takes a number from 1 to 100000")
    try require((0...1).contains(needleWeight), "--needle-weight takes a number from 0 to 1")
    try require([.truncate, .sliding].contains(method), "--method takes truncate or sliding")
    try require((1...1_000_000).contains(stride), "--stride takes a number from 1 to 1000000")
    let sizes = [population, parents, mutants, crossovers]
    try require(
      sizes.allSatisfy { (0...10_000).contains($0) } && population >= 2 && parents >= 1 && mutants + crossovers > 0
        && parents <= population + mutants + crossovers,
      "a population takes 2 to 10000 candidates, one parent or more, and offspring")
    try require((0...100_000).contains(iterations), "--iterations takes a number from 0 to 100000")
    try require(probability > 0 && probability <= 1, "--probability takes a number above 0, up to 1")
    try require(generationSize.map { (4...10_000).contains($0) } ?? true, "--generation-size takes 4 to 10000")
    try require(evaluations.map { $0 > 0 } ?? true, "--evaluations takes a number from 1 on")
    try require(raceAlpha > 0 && raceAlpha < 1, "--race-alpha takes a number between 0 and 1")
    try require((0...1).contains(raceAudit), "--race-audit takes a number from 0 to 1")
    try require(maximum.map { $0 >= 1 && $0 <= 1e6 } ?? true, "--maximum takes a number from 1 to 1000000")
    try require(jobs.map { (1...1024).contains($0) } ?? true, "--jobs takes 1 to 1024")
    try require(
      asReleased.map { ["dim_mono", "dim_piece_mono"].contains($0) } ?? true,
      "--as-released takes dim_mono or dim_piece_mono")
    if asReleased != nil {
      let others: [(String, Bool)] = [
        ("--initial", !initial.isEmpty), ("--search-mscale", searchMscale), ("--maximum", maximum != nil),
        ("--critical-dimension", criticalDimension != nil), ("--start-tokens", startTokens),
      ]
      for (name, isGiven) in others { try require(!isGiven, "\(name) does not go with --as-released") }
    }
    try require(initial.isEmpty || algorithm != .longrope2, "--initial goes with longrope or cma-es")
    try require(!startTokens || algorithm == .longrope, "--start-tokens goes with longrope")
    try require(
      !readjust || algorithmName == .longrope || algorithmName == .cmaES, "--readjust goes with longrope or cma-es")
    try require(onto == nil || readjust, "--onto goes with --readjust")
    try require(
      !searchPairMscales || (asReleased == nil && algorithm != .cmaES),
      "--search-pair-mscales goes with longrope or longrope2")
    try require(criticalDimension == nil || algorithm != .longrope, "--critical-dimension is for longrope2 and cma-es")
  }

  private var outputs: [String] {
    [output, csv, svg, log, checkpoint ?? resume ?? output + ".checkpoint"].compactMap(\.self)
  }

  /// What would keep hours of work from being written is known at once.
  private func requireWritable() throws {
    guard Set(outputs).count == outputs.count else { throw ValidationError("two outputs have the same name") }
    guard !outputs.contains("") else { throw ValidationError("an output needs a name") }
    for path in outputs { _ = try OutputFile(path: path) }
  }

  /// - Throws: `PatchError` for a log or checkpoint that would replace something else.
  private func requireReplaceable() throws {
    let path = checkpoint ?? output + ".checkpoint"
    if resume == nil, FileSystem.exists(path) {
      throw PatchError.unsafe(path, "is there already; go on from it with --resume, or name another with --checkpoint")
    }
    guard let log, FileSystem.exists(log) else { return }
    let size = try FileStatus(of: log, followingLinks: true).size
    let head = try Descriptor(path: log, .read).read(at: 0, count: min(64, size))
    guard String(decoding: head, as: UTF8.self).contains(SearchLog.schema) else {
      throw PatchError.unsafe(log, "exists already and is no log of a search; name a new path")
    }
  }

  func run() throws {
    for path in [output, csv, svg].compactMap(\.self) where FileSystem.exists(path) {
      throw PatchError.unsafe(path, "exists already; name a new path")
    }
    try requireReplaceable()
    try requireWritable()
    let session = try common.open(model)
    let job = try SearchJob(self, session)
    let outcome = try job.run()
    guard job.isFirst else { return }
    guard outcome.run.best != nil else {
      if outcome.stop == .interrupted {
        common.note("interrupted before the first generation was evaluated; nothing is kept")
        throw Interrupted()
      }
      throw VerifyError(output, "not written: the time budget ended before the first generation was evaluated")
    }
    try SearchReport(self, job.checkpoint, outcome).write()
    if let stop = outcome.stop {
      common.note(stop.message)
      if stop == .interrupted { throw Interrupted() }
    }
  }
}
