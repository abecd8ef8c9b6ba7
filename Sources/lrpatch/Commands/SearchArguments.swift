import ArgumentParser
import Numerics
import Patch
import Search
import Verify

// The options of `search` in groups. Settings are optional, because a search that is resumed has
// those of its checkpoint.

/// What a search minimises, and on which data.
struct SearchFitnessArguments: ParsableArguments {
  @Option(
    help: choiceHelp("What is minimised", FitnessKind.self, default: .perplexity),
    completion: choices(FitnessKind.self), transform: choice)
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
      1/2; with --as-released the whole text)
      """, valueName: "part"))
  var part: TextPartArgument?

  @Option(help: "Documents for perplexity. (default: \(SearchOptions.Default.documents))")
  var documents: Int?

  @Option(
    help: "How perplexity is measured: truncate or sliding. (default: truncate)",
    completion: .list(["truncate", "sliding"]), transform: choice)
  var method: Perplexity.Method?

  @Option(help: "Tokens by which a sliding window moves. (default: \(Self.fitnessDefault.stride))")
  var stride: Int?

  @Option(
    help:
      "Needles, at evenly spread depths. (default: \(SearchOptions.Default.needles(nil)); \(SearchOptions.Default.needles(.keys)) prompts of keys)"
  )
  var needles: Int?

  @Option(
    help: choiceHelp("Whose needle prompt", NeedlePrompt.self, default: .paper),
    completion: choices(NeedlePrompt.self), transform: choice)
  var needlePrompt: NeedlePrompt?

  @Flag(help: "All needles at the beginning, as in the paper, rather than at all depths.")
  var needlesAtStart = false

  @Option(
    help: """
      How much needles count with --fitness both, from 0 to 1. (default: \
      \(Self.fitnessDefault.needleWeight))
      """)
  var needleWeight: Double?

  private static let fitnessDefault = FitnessSettings(length: 0)

  func set(_ options: inout SearchOptions) {
    options.fitness = fitness
    options.texts = listedFiles(text)
    options.part = part?.value
    options.documents = documents
    options.method = method
    options.stride = stride
    options.needles = needles
    options.needlePrompt = needlePrompt
    options.needlesAtStart = needlesAtStart
    options.needleWeight = needleWeight
  }
}

/// Which factors a search may find.
struct SearchSpaceArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The original window, instead of what the model says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      """
      The critical dimension as a pair's index, for longrope2 and the first candidates of gradient and \
      cma-es; from d10 to d_tcd without it.
      """, valueName: "pair"))
  var criticalDimension: Int?

  @Option(
    help: ArgumentHelp(
      "The greatest factor; default 1.25 s, for longrope2 and gradient 2 s.", valueName: "factor"))
  var maximum: Double?

  @Flag(
    help: "Search n-hat too, the first tokens that keep their angles (no runtime can express it).")
  var startTokens = false

  @Option(
    help: MscaleChoice.help, completion: MscaleChoice.completion, transform: MscaleChoice.init)
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

  func set(_ options: inout SearchOptions) {
    options.originalWindow = originalLength?.value
    options.criticalPair = criticalDimension
    options.maximum = maximum
    options.startTokens = startTokens
    options.mscale = mscale?.value
    options.searchesMscale = searchMscale
    options.searchesPairMscales = searchPairMscales
    options.readjusts = readjust
    options.onto = onto
    options.initial = listedFiles(initial)
  }
}

/// How a search makes and chooses candidates.
struct SearchAlgorithmArguments: ParsableArguments {
  @Option(
    help: """
      How candidates are made: \(AlgorithmName.list(AlgorithmName.standard)). (default: \
      \(SearchOptions.Default.algorithm.rawValue))
      """, completion: .list(AlgorithmName.standard.map(\.rawValue)), transform: Self.algorithm)
  var algorithm: AlgorithmName?

  @Option(
    name: .long, defaultAsFlag: "dim_mono",
    help: ArgumentHelp(
      """
      longrope as its published code does it: dim_mono, also without a value, or dim_piece_mono.
      """, valueName: "kind"))
  var asReleased: String?

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
    help: """
      Generations after the first population; of gradient, steps. (default: \
      \(Self.evolutionDefault.iterations))
      """)
  var iterations: Int?

  @Option(
    help: """
      The probability of a mutation in one pair. (default: \(Self.evolutionDefault.probability))
      """)
  var probability: Double?

  @Option(help: ArgumentHelp("Candidates in each generation of cma-es.", valueName: "count"))
  var generationSize: Int?

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

  private static let evolutionDefault = EvolutionSettings()
  private static let raceDefault = RaceSettings()

  private static func algorithm(_ name: String) throws -> AlgorithmName {
    guard let algorithm = AlgorithmName.standard.first(where: { $0.rawValue == name }) else {
      throw unknown(name, AlgorithmName.standard.map(\.rawValue))
    }
    return algorithm
  }

  private var publishedAlgorithm: AlgorithmName? {
    get throws {
      guard let asReleased else { return nil }
      guard let published = AlgorithmName.published.first(where: { $0.rawValue == asReleased })
      else {
        throw unknown(
          asReleased, of: "--as-released", AlgorithmName.published.map(\.rawValue))
      }
      return published
    }
  }

  /// - Throws: `ValidationError` for an algorithm that the published code does not have.
  func set(_ options: inout SearchOptions) throws {
    options.algorithm = try publishedAlgorithm ?? algorithm
    options.population = population
    options.parents = parents
    options.mutants = mutants
    options.crossovers = crossovers
    options.iterations = iterations
    options.probability = probability
    options.generationSize = generationSize
    options.races = !noRace
    options.raceAlpha = raceAlpha
    options.raceAudit = raceAudit
  }
}

/// When a search ends, and how it runs.
struct SearchRunArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Evaluate at most this many candidates.", valueName: "count"))
  var evaluations: Int?

  @Option(help: ArgumentHelp("End after this time, such as 90s, 30m or 2h.", valueName: "time"))
  var timeBudget: Period?

  @Flag(
    help: "End without comparing the result with no factors, YaRN and NTK on unseen data.")
  var noComparison = false

  @Option(
    help: ArgumentHelp("Continue from a checkpoint, with its settings.", valueName: "checkpoint"),
    completion: .file())
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "The checkpoint to write after every generation; default OUTPUT.checkpoint.",
      valueName: "file"), completion: .file())
  var checkpoint: String?

  @Option(help: precisionHelp, completion: choices(Precision.self), transform: choice)
  var precision: Precision?

  @Option(
    help: """
      Candidates that are evaluated at the same time; default one for each thread, as far as memory \
      allows.
      """)
  var jobs: Int?

  @Option(
    help: """
      The seed of the search and its needles; default \(SearchOptions.Default.algorithm.defaultSeed), \
      or the published code's \(AlgorithmName.dimMono.defaultSeed).
      """)
  var seed: UInt64?

  func set(_ options: inout SearchOptions) {
    options.evaluations = evaluations
    options.timeBudget = timeBudget?.duration
    options.resume = resume
    options.precision = precision
    options.jobs = jobs
    options.seed = seed
  }
}

/// What a search writes besides the factors.
struct SearchFileArguments: ParsableArguments {
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
}
