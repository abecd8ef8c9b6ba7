import Formats
import Numerics
import Patch
import Verify

/// Compares the settings that are given next to --resume with those of its checkpoint.
struct ResumeConflicts {
  private let options: SearchOptions
  private let saved: Checkpoint

  init(_ options: SearchOptions, _ saved: Checkpoint) {
    self.options = options
    self.saved = saved
  }

  /// - Throws: `OptionError` that names the options that conflict; what reading given factors
  ///   throws.
  func check() throws {
    let window = saved.space.window
    try OptionError.require(
      options.targetWindow.map { $0 == window } ?? true,
      "--target-length conflicts with the \(window) tokens of the checkpoint that --resume continues"
    )
    let names = try fitness + space + algorithm + evolution + race
    let verb = names.count == 1 ? "conflicts" : "conflict"
    try OptionError.require(
      names.isEmpty,
      """
      \(names.joined(separator: ", ")) \(verb) with the settings of the checkpoint that --resume \
      continues
      """)
  }

  /// The names of the options that are given and differ.
  private func names(_ comparisons: [(name: String, differs: Bool)]) -> [String] {
    comparisons.filter(\.differs).map(\.name)
  }

  /// Whether a value is given and differs.
  private func differs<Value: Equatable>(_ given: Value?, _ saved: Value?) -> Bool {
    given != nil && given != saved
  }

  // MARK: Groups of options

  private var fitness: [String] {
    let own = saved.fitness
    let kind = options.fitness ?? own.kind
    let texts = saved.texts.map(\.path).filter { !$0.isEmpty }
    return names([
      ("--fitness", differs(options.fitness, own.kind)),
      ("--text", !options.texts.isEmpty && options.texts != texts),
      ("--part", differs(options.part?.description, "\(own.part)/\(own.parts)")),
      (
        "--documents",
        kind.hasDocuments && !own.scoresHaystack && differs(options.documents, own.documents)
      ),
      ("--needles", kind.hasNeedles && differs(options.needles, own.needles)),
      ("--method", differs(options.method?.rawValue, own.method)),
      ("--stride", differs(options.stride, own.stride)),
      ("--needle-prompt", differs(options.needlePrompt, own.needlePrompt)),
      ("--needles-at-start", options.needlesAtStart && !own.needlesAtStart),
      ("--needle-weight", differs(options.needleWeight, own.needleWeight)),
      ("--precision", differs(options.precision?.rawValue, saved.precision)),
    ])
  }

  private var space: [String] {
    get throws {
      let own = saved.space
      let onto = try options.onto.map { try FactorSource(path: $0).set.canonicalText }
      return names([
        ("--original-length", differs(options.originalWindow, saved.originalWindow)),
        ("--maximum", differs(options.maximum, own.upper)),
        ("--start-tokens", options.startTokens && own.startTokens.count == 1),
        ("--mscale", differs(options.mscale?.name, saved.mscale)),
        ("--search-mscale", options.searchesMscale && !own.searchesMscale),
        ("--search-pair-mscales", options.searchesPairMscales && !own.searchesPairMscales),
        ("--readjust", options.readjusts && saved.onto == nil),
        ("--onto", onto != nil && onto != saved.onto),
      ])
    }
  }

  private var algorithm: [String] {
    get throws {
      let own = saved.settings
      let name = options.algorithm?.isPublished == true ? "--as-released" : "--algorithm"
      return names([
        (name, differs(options.algorithm, own.algorithm)),
        ("--seed", differs(options.seed, own.seed)),
        ("--critical-dimension", differs(options.criticalPair, own.criticalPair)),
        ("--generation-size", differs(options.generationSize, own.generationSize)),
        ("--initial", try hasOtherCandidates),
      ])
    }
  }

  private var hasOtherCandidates: Bool {
    get throws {
      guard !options.initial.isEmpty else { return false }
      let onto = try saved.onto.map { try FactorSet(canonicalText: $0) }
      return try options.initialCandidates(saved.space, onto) != saved.settings.initial
    }
  }

  private var evolution: [String] {
    let own = saved.settings.evolution
    // LongRoPE's sizes are halved for long windows.
    let paper = EvolutionSettings()
    let isHalved =
      saved.space.window >= EvolutionSettings.halvingWindow && own.hasSizes(of: paper.halved)
    func differ(_ given: Int?, _ size: KeyPath<EvolutionSettings, Int>) -> Bool {
      guard let given, given != own[keyPath: size] else { return false }
      return !(isHalved && given == paper[keyPath: size])
    }
    return names([
      ("--population", differ(options.population, \.population)),
      ("--parents", differ(options.parents, \.parents)),
      ("--mutants", differ(options.mutants, \.mutants)),
      ("--crossovers", differ(options.crossovers, \.crossovers)),
      ("--iterations", differs(options.iterations, own.iterations)),
      ("--probability", differs(options.probability, own.probability)),
    ])
  }

  private var race: [String] {
    let own = saved.settings.race
    return names([
      ("--no-race", !options.races && own.isOn),
      ("--race-alpha", differs(options.raceAlpha, own.alpha)),
      ("--race-audit", differs(options.raceAudit, own.audit)),
    ])
  }
}
