import Formats
import Glibc
import Models
import Numerics
import Patch
import Verify

/// Makes the settings of a new search from options.
struct NewSearch {
  private let options: SearchOptions
  private let inspection: Inspection
  private let algorithm: AlgorithmName
  /// The windows, in tokens: that of the model before any extension, and the one to reach.
  private let original: Int
  private let target: Int
  private let mscale: Mscale

  /// - Parameter target: the window to reach, in tokens.
  init(_ options: SearchOptions, _ inspection: Inspection, target: Int) {
    self.options = options
    self.inspection = inspection
    self.target = target
    algorithm = options.algorithm ?? SearchOptions.Default.algorithm
    original = options.originalWindow ?? inspection.geometry.originalWindow
    mscale = options.mscale ?? .su
  }

  /// The checkpoint of a search that has not begun, without the hashes of its texts and units.
  /// - Throws: `ModelError` for a window or factors that do not fit the model; what reading the
  ///   factors throws.
  func checkpoint(_ identity: ModelIdentity) throws -> Checkpoint {
    let onto = options.readjusts ? try targetSet() : nil
    let space = options.readjusts ? try readjusted() : try extended()
    let texts = options.texts.isEmpty ? [""] : options.texts
    return Checkpoint(
      settings: try settings(space, onto), space: space, fitness: fitness,
      texts: texts.map { Checkpoint.Text(path: $0, sha256: "") },
      originalWindow: original, short: options.readjusts ? nil : inspection.factors?.short,
      mscale: mscale.name, onto: onto?.canonicalText, unitsSHA256: "", model: identity,
      precision: (options.precision ?? .exact).rawValue)
  }

  private func settings(_ space: SearchSpace, _ onto: FactorSet?) throws -> SearchSettings {
    var settings = SearchSettings(algorithm)
    settings.evolution = options.evolution(EvolutionSettings())
    if target >= EvolutionSettings.halvingWindow, options.hasPaperSizes {
      settings.evolution = settings.evolution.halved
    }
    settings.generationSize = options.generationSize
    settings.criticalPair = options.criticalPair
    settings.race = options.race(RaceSettings())
    settings.race.isOn = options.races && algorithm.features.contains(.race)
    settings.seed = options.seed ?? algorithm.defaultSeed
    settings.initial = try options.initialCandidates(space, onto)
    return settings
  }

  private var fitness: FitnessSettings {
    let kind = options.fitness ?? .perplexity
    var fitness = FitnessSettings(length: target)
    if kind.hasDocuments, !options.scoresHaystack {
      fitness.documents = options.documents ?? SearchOptions.Default.documents
    }
    if kind.hasNeedles {
      fitness.needles = options.needles ?? SearchOptions.Default.needles(options.needlePrompt)
    }
    fitness.scoresHaystack = options.scoresHaystack
    if let method = options.method { fitness.method = method.rawValue }
    if let stride = options.stride { fitness.stride = stride }
    if let prompt = options.needlePrompt { fitness.needlePrompt = prompt }
    fitness.needlesAtStart = options.needlesAtStart
    if let weight = options.needleWeight { fitness.needleWeight = weight }
    // The published code has no part for a test.
    let part = options.part ?? (algorithm.isPublished ? .whole : .firstHalf)
    (fitness.part, fitness.parts) = (part.number, part.count)
    fitness.seed = options.seed ?? algorithm.defaultSeed
    return fitness
  }

  // MARK: The space

  /// The space for a longer window.
  ///
  /// A model with factors is extended from its extended window.
  private func extended() throws -> SearchSpace {
    let before = inspection.factors
    var forms = try inspection.geometry.settings(
      target: target, original: before?.window ?? original, subject: options.model)
    forms.criticalPair = options.criticalPair
    if let pair = options.criticalPair, !(1..<forms.pairs).contains(pair) {
      throw ModelError.unsupported(
        options.model, "the critical pair \(pair) does not exist: expected 1 to \(forms.pairs - 1)")
    }
    var space = SearchSpace(
      forms, base: before?.long,
      mscale: mscale.values(originalWindow: original, window: target).long)
    space.upper = options.maximum ?? algorithm.defaultMaximum * forms.scale
    return searching(space)
  }

  /// The space for a table for shorter inputs of an extended model (LongRoPE, section 3.3).
  private func readjusted() throws -> SearchSpace {
    let factors = try factors
    let forms = inspection.geometry.settings(original: factors.originalWindow, window: target)
    var space = SearchSpace(
      forms, mscale: target <= factors.originalWindow ? factors.shortMscale : factors.longMscale)
    space.upper = options.maximum ?? max(space.lower, factors.long.max() ?? 1)
    return searching(space)
  }

  private func searching(_ space: SearchSpace) -> SearchSpace {
    var space = space
    space.searchesMscale = options.searchesMscale
    space.searchesPairMscales = options.searchesPairMscales
    if options.startTokens {
      space.startTokens = SearchSpace.paperStartTokens.filter { $0 < target }
    }
    return space
  }

  /// The factors of an extended model.
  private var factors: ModelFactors {
    get throws {
      guard let factors = inspection.factors else {
        throw ModelError.unsupported(
          options.model, "the model carries no factors; --readjust needs a model that is extended")
      }
      guard target < factors.window else {
        throw ModelError.unsupported(
          options.model,
          "the target of \(target) tokens is not below the model's window of \(factors.window)")
      }
      return factors
    }
  }

  /// The set into which a table for shorter inputs is put.
  private func targetSet() throws -> FactorSet {
    let factors = try factors
    let set =
      try options.onto.map { try FactorSource(path: $0).set }
      ?? FactorSet(
        originalWindow: factors.originalWindow, window: factors.window,
        long: .uniform(factors.long), short: .uniform(factors.short),
        mscale: .literal(long: factors.longMscale, short: factors.shortMscale))
    guard set.long.pairs * 2 == inspection.geometry.rotaryDimensions else {
      throw ModelError.unsupported(
        options.onto ?? "", "the set has \(set.long.pairs) factors, which do not fit the model")
    }
    return set
  }
}

// MARK: Settings that a resumed search compares too

extension SearchOptions {
  /// The given sizes and probabilities; those of `base` for the others.
  func evolution(_ base: EvolutionSettings) -> EvolutionSettings {
    var evolution = base
    if let population { evolution.population = population }
    if let parents { evolution.parents = parents }
    if let mutants { evolution.mutants = mutants }
    if let crossovers { evolution.crossovers = crossovers }
    if let iterations { evolution.iterations = iterations }
    if let probability { evolution.probability = probability }
    return evolution
  }

  /// Whether the sizes are those that LongRoPE halves for long windows.
  var hasPaperSizes: Bool { evolution(EvolutionSettings()).hasSizes(of: EvolutionSettings()) }

  /// The given probabilities; those of `base` for the others.
  func race(_ base: RaceSettings) -> RaceSettings {
    var race = base
    if let raceAlpha { race.alpha = raceAlpha }
    if let raceAudit { race.audit = raceAudit }
    return race
  }

  /// The given candidates, and for a table for shorter inputs some between no factors and the long
  /// ones of its set.
  func initialCandidates(_ space: SearchSpace, _ onto: FactorSet?) throws -> [Candidate] {
    let given = try initial.flatMap { try InitialFactors($0, space).candidates }
    guard let long = onto?.long.uniform else { return given }
    return given
      + [0, 0.25, 0.5, 0.75, 1].map { share in
        Candidate(space.fitted(long.map { pow(max($0, 1e-6), share) }))
      }
  }
}
