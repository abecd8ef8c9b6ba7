import Inference
import Models
import Numerics
import Patch

/// A ladder: measures several models and types of the cache alike, and compares each with the first.
public struct LadderJob: Sendable {
  /// The rungs, in the order in which they are measured.
  public let rungs: [LadderRung]
  /// What a user should know about the models and the texts before reading the results.
  public let remarks: [String]
  private let options: LadderOptions
  private let environment: JobEnvironment
  private let baseline: OpenBaseline
  private let lengths: [Int]
  /// The rules that each model is run by.
  private let runtimes: [String: RuntimeChoice]
  private let begun = ContinuousClock.now
  private var estimate: VerifyEstimate?

  /// Opens all models once, so that errors show before hours of work.
  /// - Throws: `OptionError` for options that contradict each other, or a gate about a length that is
  ///   not measured; `ModelError` for a model that cannot be run, has another vocabulary than the
  ///   first, or cannot keep its keys and values in a type; `FormatError`; `FileError`.
  public init(_ options: LadderOptions, environment: JobEnvironment = JobEnvironment()) throws {
    try options.validate()
    self.options = options
    self.environment = environment
    let rungs = options.rungs
    var runtimes: [String: RuntimeChoice] = [:]
    for path in options.models {
      let session = try ModelSession(path: path, exclusive: false)
      runtimes[path] =
        options.runtime ?? .runtime(session.format == .gguf ? .llamaCpp : .vllm)
    }
    func verification(_ rung: LadderRung, _ lengths: [Int]?) -> VerifyOptions {
      options.verification(
        of: rung, runtime: runtimes[rung.model] ?? .paper, lengths: lengths)
    }
    let first = verification(rungs[0], options.lengths)
    let memory = environment.availableMemory() ?? Self.usualMemory
    let baseline = try OpenBaseline(
      first, ModelOpener(first, environment), states: BaselineStates(limit: memory / 4))
    var lengths = options.lengths
    var remarks: [String] = []
    for (index, rung) in rungs.enumerated() {
      var own = verification(rung, lengths)
      if index == 0 { own.gates = options.gates }
      let setup = try VerifySetup(
        own, ModelSession(path: rung.model, exclusive: false), environment, baseline: baseline)
      try setup.checkMemory(environment)
      lengths = lengths ?? setup.grid.lengths
      if index == 0 { estimate = try setup.estimate() }
      remarks += setup.remarks.filter { !remarks.contains($0) }
    }
    self.rungs = rungs
    self.runtimes = runtimes
    self.baseline = baseline
    self.lengths = lengths ?? []
    self.remarks = remarks
  }

  private static let usualMemory = 4 << 30

  /// A ladder without measured rungs.
  public var document: LadderDocument {
    LadderDocument(
      planned: rungs, gates: options.gates, keep: options.keep,
      settings: options.settings(lengths: lengths))
  }

  /// How long some rungs take; nil if that is seconds.
  public func announcement(of count: Int) -> String? { estimate?.remark(times: count) }

  /// Measures rungs one after another.
  /// - Parameters:
  ///   - known: rungs that are left out.
  ///   - progress: called before and after each piece of work.
  ///   - each: called with each rung that was measured completely.
  /// - Returns: why the run ended early; nil if all rungs were measured.
  /// - Throws: `ModelError` for a length or a text that is too short, or damaged weights; errors of
  ///   `each`.
  public func run(
    skipping known: Set<LadderRung> = [],
    progress: (TaskGrid.Progress) -> Void = { _ in },
    each: (LadderRung, VerifyOutcome) throws -> Void
  ) throws -> EarlyStop? {
    let wanted = rungs.filter { !known.contains($0) }
    for (index, rung) in wanted.enumerated() {
      let outcome = try measure(rung) { step in
        let share = (Double(index) + step.share) / Double(wanted.count)
        progress(
          TaskGrid.Progress(
            share: share, label: "\(index + 1) of \(wanted.count), \(step.label)"))
      }
      if let stop = outcome.stop { return stop }
      try each(rung, outcome)
    }
    return nil
  }

  private func measure(
    _ rung: LadderRung, _ progress: (TaskGrid.Progress) -> Void
  ) throws -> VerifyOutcome {
    var own = options.verification(
      of: rung, runtime: runtimes[rung.model] ?? .paper, lengths: lengths)
    own.timeBudget = options.timeBudget.map { max(.zero, $0 - (ContinuousClock.now - begun)) }
    return try VerifyJob(
      own, session: ModelSession(path: rung.model, exclusive: false), environment,
      baseline: baseline
    ).run(progress: progress)
  }
}
