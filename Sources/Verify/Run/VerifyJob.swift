import Inference
public import Patch

/// A verification: runs a model as each runtime would, and judges what it measures.
///
/// ```swift
/// var options = VerifyOptions(model: "model.gguf")
/// options.gates = [try Gate("passkey>=0.95")]
/// let outcome = try VerifyJob(options).run()
/// print(outcome.passes, outcome.verdicts.map(\.place))
/// ```
public struct VerifyJob: ~Copyable {
  /// The model under its lock.
  public let session: ModelSession
  private let setup: VerifySetup

  /// Runtimes that read such models but cannot be followed.
  public var unfollowed: [UnfollowedRuntime] { setup.followed.unfollowed }

  /// What a user should know about the model and the texts before reading the results.
  public var remarks: [String] { setup.remarks + [estimate?.remark()].compactMap(\.self) }
  private let estimate: VerifyEstimate?

  /// Whether this process has the result.
  ///
  /// Under MPI only one process does.
  public var isFirst: Bool { setup.ranks.isFirst }

  /// Opens the model and makes everything ready, so that errors show before hours of work.
  /// - Throws: `OptionError` for options that contradict each other, or a gate about something that
  ///   is not measured; `ModelError` for a model that cannot be run, or a length for which there is
  ///   too little memory; `FormatError`; `FileError`.
  public init(
    _ options: VerifyOptions, environment: JobEnvironment = JobEnvironment()
  ) throws {
    try self.init(
      options, session: ModelSession(path: options.model, exclusive: false),
      environment: environment)
  }

  /// The same for a model that is already open.
  public init(
    _ options: VerifyOptions, session: consuming ModelSession,
    environment: JobEnvironment = JobEnvironment()
  ) throws {
    let setup = try VerifySetup(options, session, environment)
    try setup.checkMemory(environment)
    estimate = try setup.estimate()
    self.setup = setup
    self.session = session
  }

  /// The same for one of several models that are compared with one, without an estimate of the time.
  init(
    _ options: VerifyOptions, session: consuming ModelSession, _ environment: JobEnvironment,
    baseline: OpenBaseline
  ) throws {
    let setup = try VerifySetup(options, session, environment, baseline: baseline)
    try setup.checkMemory(environment)
    self.setup = setup
    estimate = nil
    self.session = session
  }

  /// How long a verification takes and how much memory it needs, without running it.
  ///
  /// One layer is timed for that. The memory may be more than there is.
  /// - Throws: what making a job ready throws; `EarlyStop` if it is interrupted.
  public static func estimate(
    _ options: VerifyOptions, in session: borrowing ModelSession,
    environment: JobEnvironment = JobEnvironment()
  ) throws -> VerifyEstimate {
    try VerifyEstimate(VerifySetup(options, session, environment))
  }

  /// Measures everything, until it is done or has to end early.
  /// - Parameter progress: called before and after each piece of work.
  /// - Returns: what was measured; under MPI by all processes together, of which only the first has
  ///   it. If the run ended early, the rest counts as missing, and gates about it fail.
  /// - Throws: `ModelError` for a length or a text that is too short, damaged weights, or an MPI
  ///   process that is lost.
  public func run(
    progress: (TaskGrid.Progress) -> Void = { _ in }
  ) throws -> VerifyOutcome {
    let start = ContinuousClock.now
    var measured = Measurements(originalWindow: setup.originalWindow)
    var stop: EarlyStop?
    do {
      try setup.grid.run(
        setup.scoring, baseline: setup.baseline, setup.tokenizer, into: &measured, report: progress)
    } catch let reason as EarlyStop {
      stop = reason
    }
    var outcome = VerifyOutcome(
      options: setup.options, measured: measured, verdicts: [], stop: stop,
      unfollowed: unfollowed, texts: setup.grid.texts.map(\.name),
      inspection: setup.followed.inspection,
      plan: setup.options.plan(
        of: setup.grid, runtimes: setup.followed.policies.map(\.name)),
      seconds: start.duration(to: .now).seconds)
    try outcome.gather(setup.ranks)
    outcome.verdicts = setup.gates.map(outcome.measured.judge)
    return outcome
  }
}
