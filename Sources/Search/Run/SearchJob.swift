import Formats
public import Patch
public import Verify

/// A search for the factors of a longer window, new or resumed.
///
/// ```swift
/// var options = SearchOptions(model: "model.gguf", targetWindow: 131_072)
/// options.algorithm = .cmaES
/// options.checkpoint = "search.checkpoint"
/// let outcome = try SearchJob(options).run { print($0.generation.number, $0.generation.fitness) }
/// print(outcome.factors?.long.rows ?? [])
/// ```
public struct SearchJob: ~Copyable {
  /// The model under its lock.
  public let session: ModelSession
  private let setup: SearchSetup

  /// Whether this process writes the results.
  ///
  /// Under MPI only one process does.
  public var isFirst: Bool { setup.pool.isFirst }

  /// What a user should know about the texts.
  public var remarks: [String] { setup.remarks }

  /// Opens the model and makes everything ready, so that errors show before hours of work.
  /// - Throws: `OptionError` for options that contradict each other or the checkpoint; `ModelError`
  ///   for a model that cannot be run, texts that are too short, a file that would be replaced, or
  ///   too little memory; `FormatError`; `FileError`.
  public init(
    _ options: SearchOptions, environment: JobEnvironment = JobEnvironment()
  ) throws {
    try self.init(
      options, session: ModelSession(path: options.model, exclusive: false),
      environment: environment)
  }

  /// The same for a model that is already open.
  public init(
    _ options: SearchOptions, session: consuming ModelSession,
    environment: JobEnvironment = JobEnvironment()
  ) throws {
    setup = try SearchSetup(options, session, environment)
    self.session = session
  }

  /// Searches, until the algorithm has come to its end or the search has to end early.
  ///
  /// Each generation is written to the checkpoint and the log, if the options name them.
  /// - Parameter progress: called after every generation.
  /// - Throws: `ModelError` for damaged weights, or an MPI process that is lost; `FileError`.
  public func run(
    progress: (SearchProgress) -> Void = { _ in }
  ) throws -> SearchOutcome {
    let start = ContinuousClock.now
    let deadline = setup.options.timeBudget.map { start.advanced(by: $0) }
    var loop = SearchLoop(
      setup.checkpoint.settings, setup.checkpoint.space, setup.units, setup.pool,
      state: setup.checkpoint.state)
    var stop: EarlyStop?
    do {
      while true {
        try setup.checkLimits(loop.state.cost, deadline)
        guard let generation = try loop.advance(most: setup.options.evaluations ?? .max) else {
          break
        }
        setup.ledger.clear()
        if isFirst { try setup.save(loop.state) }
        progress(SearchProgress(generation: generation, share: setup.share(generation)))
      }
    } catch let reason as EarlyStop {
      stop = reason
      loop.keep(setup.ledger)
      let hasFresh = loop.state.generations.isEmpty || loop.state.pending != nil
      if isFirst, hasFresh, loop.best != nil { try setup.save(loop.state) }
    }
    return try setup.outcome(loop, stop, start.duration(to: .now).seconds)
  }

  /// Compares what was found with the model without factors, YaRN and NTK, on texts that the search
  /// did not see.
  /// - Returns: nil if nothing was found, or if the search used the whole texts.
  /// - Throws: `ModelError` for texts that are too short; `EarlyStop.interrupted`.
  public func compareHeldOut(
    _ outcome: SearchOutcome, environment: JobEnvironment = JobEnvironment()
  ) throws -> HeldOut? {
    guard let factors = outcome.factors, outcome.checkpoint.onto == nil else { return nil }
    return try HeldOut(
      factors, outcome.checkpoint, setup.options, session, environment: environment)
  }
}

extension SearchSetup {
  /// - Throws: `EarlyStop` if no further generation is to be evaluated.
  fileprivate func checkLimits(
    _ cost: SearchCost, _ deadline: ContinuousClock.Instant?
  ) throws {
    if let most = options.evaluations, cost.evaluations >= most { throw EarlyStop.evaluations }
    let isLate = deadline.map { ContinuousClock.now >= $0 } ?? false
    if try pool.agree(isLate) { throw EarlyStop.timeBudget }
  }

  fileprivate func save(_ state: SearchLoop.State) throws {
    var checkpoint = checkpoint
    checkpoint.state = state
    if let path = options.checkpoint { try checkpoint.write(to: path) }
    if let log = options.log { try SearchLog(checkpoint, state).write(to: log) }
  }

  fileprivate func share(_ generation: SearchLoop.Generation) -> Double {
    let evaluations = Double(generation.cost.evaluations)
    let done = options.evaluations.map { evaluations / Double($0) } ?? 0
    let generations = Double(checkpoint.settings.evolution.iterations + 1)
    return min(0.999, max(done, Double(generation.number + 1) / generations))
  }

  fileprivate func outcome(
    _ loop: SearchLoop, _ stop: EarlyStop?, _ seconds: Double
  ) throws -> SearchOutcome {
    var checkpoint = checkpoint
    checkpoint.state = loop.state
    var found = loop.state
    found.cost = loop.cost
    let factors = try loop.best.map { try FoundFactors(checkpoint, found, $0).set }
    return SearchOutcome(
      checkpoint: checkpoint, best: loop.best, factors: factors, cost: loop.cost, stop: stop,
      seconds: seconds)
  }
}
