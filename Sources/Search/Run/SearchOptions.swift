import Foundation
public import Numerics
public import Patch
public import Verify

/// What a search looks for, on which model, and how.
///
/// A setting that is nil has its default in a new search, which is that of `lrpatch search`, and
/// the checkpoint's value in a search that is resumed. A setting that is given there must agree
/// with the checkpoint.
public struct SearchOptions: Sendable {
  // MARK: The model and its window

  /// The path of a model folder or a GGUF file.
  public var model: String
  /// The extended window in tokens.
  ///
  /// A new search needs it.
  public var targetWindow: Int?
  /// The window that is extended, in tokens; by default the model's original window.
  public var originalWindow: Int?

  // MARK: The fitness

  /// What is minimised.
  public var fitness: FitnessKind?
  /// Paths of texts from which documents are taken, or JSON lists of tokens (.json); empty for a
  /// book that comes with the library.
  public var texts: [String] = []
  /// The part of each text that is used; the others remain for a test.
  public var part: TextPart?
  /// Documents for perplexity.
  public var documents: Int?
  /// How perplexity is measured: `truncate` or `sliding`.
  public var method: Perplexity.Method?
  /// Tokens by which a sliding window moves.
  public var stride: Int?
  /// Needle prompts.
  public var needles: Int?
  /// The wording of the needle prompts.
  public var needlePrompt: NeedlePrompt?
  /// Whether all needles are at the beginning, instead of evenly spread.
  public var needlesAtStart = false
  /// The weight of the needles, from 0 to 1, if there are documents as well.
  public var needleWeight: Double?

  // MARK: The space

  /// LongRoPE2's critical pair; searched if it is not given.
  public var criticalPair: Int?
  /// The greatest factor; by default a multiple of s, `AlgorithmName.defaultMaximum`.
  public var maximum: Double?
  /// Whether n-hat is searched.
  public var startTokens = false
  /// The rule for the attention scale.
  public var mscale: Mscale?
  /// Whether the attention scale is searched.
  public var searchesMscale = false
  /// Whether an attention scale for each pair is searched, which no runtime can express.
  public var searchesPairMscales = false
  /// Whether a table for inputs up to the target window is searched, for a model that is extended
  /// already.
  public var readjusts = false
  /// The path of the set into which that table is put; by default the model's own.
  public var onto: String?

  // MARK: The algorithm

  /// The search algorithm.
  public var algorithm: AlgorithmName?
  /// Paths of factors that come before the algorithm's own first candidates, in any accepted form,
  /// or of search logs.
  public var initial: [String] = []
  /// Candidates of the first population.
  public var population: Int?
  /// The best of a population, which have offspring.
  public var parents: Int?
  /// Mutants in each generation.
  public var mutants: Int?
  /// Crossovers in each generation.
  public var crossovers: Int?
  /// Generations after the first population.
  public var iterations: Int?
  /// The probability of a mutation in one pair.
  public var probability: Double?
  /// Candidates in a generation of CMA-ES.
  public var generationSize: Int?
  /// Whether candidates that are unlikely to be good enough are stopped early.
  public var races = true
  /// The probability with which the race may stop a candidate wrongly.
  public var raceAlpha: Double?
  /// The share of stopped candidates that are evaluated to the end.
  public var raceAudit: Double?
  /// The arithmetic of the forward pass.
  public var precision: Precision?
  /// The seed of the search and its needles; by default `AlgorithmName.defaultSeed`.
  public var seed: UInt64?

  // MARK: The run

  /// The path of a checkpoint to continue from.
  public var resume: String?
  /// The path to which a checkpoint is written after every generation; nil for none.
  public var checkpoint: String?
  /// The path to which a log is written after every generation; nil for none.
  public var log: String?
  /// The candidates after which the search ends; nil for no limit.
  public var evaluations: Int?
  /// The time after which the search ends; nil for no limit.
  public var timeBudget: Duration?
  /// Candidates that are evaluated at the same time; nil for one on each thread, as far as memory
  /// allows.
  public var jobs: Int?
  /// The number of threads.
  public var threads = ProcessInfo.processInfo.activeProcessorCount

  /// Options in which only the model and the window are given.
  public init(model: String, targetWindow: Int? = nil) {
    self.model = model
    self.targetWindow = targetWindow
  }
}

extension SearchOptions {
  /// Whether the needle prompts are the documents too.
  var scoresHaystack: Bool { fitness == .both && needlePrompt == .keys }

  /// Defaults that no other type has.
  package enum Default {
    package static let algorithm = AlgorithmName.gradient
    package static let documents = 5
    /// A prompt with several keys measures as much as several needles.
    package static func needles(_ prompt: NeedlePrompt?) -> Int { prompt == .keys ? 4 : 20 }
  }
}
