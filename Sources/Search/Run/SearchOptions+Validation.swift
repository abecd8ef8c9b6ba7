public import Verify

extension SearchOptions {
  /// Checks the ranges of numbers, and that the options do not contradict each other.
  public func validate() throws(OptionError) {
    try OptionError.require(targetWindow != nil || resume != nil, "--target-length is missing")
    try checkFitness()
    try checkEvolution()
    try checkRun()
    try checkFeatures()
  }

  private func checkFitness() throws(OptionError) {
    try require(documents, 1...100_000, "--documents takes a number from 1 to 100000")
    try require(needles, 1...100_000, "--needles takes a number from 1 to 100000")
    try require(needleWeight, 0...1, "--needle-weight takes a number from 0 to 1")
    let methods: [Perplexity.Method?] = [nil, .truncate, .sliding]
    try OptionError.require(methods.contains(method), "--method takes truncate or sliding")
    try require(stride, 1...1_000_000, "--stride takes a number from 1 to 1000000")
    try require(maximum, 1...1e6, "--maximum takes a number from 1 to 1000000")
    let windows = [targetWindow, originalWindow].compactMap(\.self)
    try OptionError.require(
      windows.allSatisfy { (1...1 << 40).contains($0) },
      "--target-length and --original-length take numbers of tokens from 1 to 2^40")
  }

  private func checkEvolution() throws(OptionError) {
    let sizes = evolution(EvolutionSettings())
    let offspring = sizes.mutants + sizes.crossovers
    try require(population, 2...10_000, "--population takes a number from 2 to 10000")
    try require(mutants, 0...10_000, "--mutants takes a number from 0 to 10000")
    try require(crossovers, 0...10_000, "--crossovers takes a number from 0 to 10000")
    try OptionError.require(offspring > 0, "--mutants and --crossovers cannot both be 0")
    let candidates = sizes.population + offspring
    try OptionError.require(
      (1...candidates).contains(sizes.parents),
      "--parents takes a number from 1 to \(candidates), the candidates of the first two populations"
    )
    try require(iterations, 0...100_000, "--iterations takes a number from 0 to 100000")
    try OptionError.require(
      probability.map { $0 > 0 && $0 <= 1 } ?? true,
      "--probability takes a number above 0, up to 1")
    try require(generationSize, 4...10_000, "--generation-size takes 4 to 10000")
    try OptionError.require(
      raceAlpha.map { $0 > 0 && $0 < 1 } ?? true, "--race-alpha takes a number between 0 and 1")
    try require(raceAudit, 0...1, "--race-audit takes a number from 0 to 1")
  }

  private func checkRun() throws(OptionError) {
    try require(evaluations, 1...Int.max, "--evaluations takes a number from 1 on")
    try require(jobs, 1...1024, "--jobs takes 1 to 1024")
    try require(threads, 1...1024, "--threads takes a number from 1 to 1024")
  }

  /// A value that is not given is in every range.
  private func require<Value: Comparable>(
    _ value: Value?, _ range: ClosedRange<Value>, _ message: String
  ) throws(OptionError) {
    if let value { try OptionError.require(range.contains(value), message) }
  }

  // MARK: What the algorithm takes

  /// The features that the options use, by the name of their option.
  private var usedFeatures: [(name: String, feature: AlgorithmName.Feature)] {
    let features: [(String, AlgorithmName.Feature, Bool)] = [
      ("--initial", .initial, !initial.isEmpty), ("--search-mscale", .mscale, searchesMscale),
      ("--maximum", .maximum, maximum != nil),
      ("--critical-dimension", .criticalPair, criticalPair != nil),
      ("--start-tokens", .startTokens, startTokens), ("--readjust", .readjusting, readjusts),
      ("--search-pair-mscales", .pairMscales, searchesPairMscales),
    ]
    return features.filter(\.2).map { ($0.0, $0.1) }
  }

  /// A search that is resumed has the algorithm of its checkpoint, which is compared later.
  private func checkFeatures() throws(OptionError) {
    try OptionError.require(onto == nil || readjusts, "--onto goes with --readjust")
    guard let algorithm = algorithm ?? (resume == nil ? Default.algorithm : nil) else { return }
    for (name, feature) in usedFeatures where !algorithm.features.contains(feature) {
      let takers = AlgorithmName.allCases.filter { $0.features.contains(feature) }
      throw OptionError(
        algorithm.isPublished
          ? "\(name) does not go with --as-released"
          : "\(name) goes with \(AlgorithmName.list(takers))")
    }
  }
}

extension SearchOptions {
  /// A remark on options that were given although the search does not use them.
  var unusedRemark: [String] {
    let kind = fitness ?? .perplexity
    let name = algorithm ?? Default.algorithm
    let isEvolution = name.isPublished || name == .longrope || name == .longrope2
    let given: [(name: String, isGiven: Bool, isUsed: Bool)] = [
      ("documents", documents != nil, kind.hasDocuments && !scoresHaystack),
      ("method", method != nil, kind.hasDocuments && !scoresHaystack),
      ("stride", stride != nil, kind.hasDocuments && !scoresHaystack && method == .sliding),
      ("needles", needles != nil, kind.hasNeedles),
      ("needle-prompt", needlePrompt != nil, kind.hasNeedles),
      ("needles-at-start", needlesAtStart, kind.hasNeedles && needlePrompt != .keys),
      ("needle-weight", needleWeight != nil, kind.hasNeedles && kind.hasDocuments),
      ("population", population != nil, isEvolution), ("parents", parents != nil, isEvolution),
      ("mutants", mutants != nil, isEvolution), ("crossovers", crossovers != nil, isEvolution),
      ("probability", probability != nil, isEvolution),
      ("generation-size", generationSize != nil, name == .cmaES),
    ]
    let unused = given.filter { $0.isGiven && !$0.isUsed }.map { "--\($0.name)" }
    // A search that is resumed has the settings of its checkpoint.
    guard !unused.isEmpty, resume == nil else { return [] }
    return ["the search does not use \(unused.joined(separator: ", "))"]
  }
}
