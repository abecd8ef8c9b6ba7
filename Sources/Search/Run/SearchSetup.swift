import Inference
import Models
import Numerics
import Patch
import Verify

/// A search made ready: its settings and state, its units, and the workers.
struct SearchSetup: Sendable {
  let options: SearchOptions
  /// The settings, and the state from which the search continues.
  let checkpoint: Checkpoint
  let units: FitnessUnits
  let pool: any EvaluatorPool
  /// What is known of the generation under way, unless several processes share it.
  let ledger: UnitLedger
  /// What a user should know about the texts.
  let remarks: [String]

  init(
    _ options: SearchOptions, _ session: borrowing ModelSession, _ environment: JobEnvironment
  ) throws {
    try options.validate()
    try options.requireReplaceableFiles()
    self.options = options
    let inspection = try Inspection(session)
    let tokenizer = try Tokenizer(path: options.model)
    let identity = try ModelIdentity(path: options.model)
    var checkpoint: Checkpoint
    if let path = options.resume {
      checkpoint = try Self.saved(path, options, inspection.geometry, identity)
    } else {
      let target = options.targetWindow ?? inspection.geometry.window
      checkpoint = try NewSearch(options, inspection, target: target).checkpoint(identity)
    }
    let texts = try checkpoint.texts.map { try SearchText($0.path, tokenizer) }
    units = try FitnessUnits(
      checkpoint.fitness, texts: texts.map(\.tokens), tokenizer: tokenizer)
    if let path = options.resume {
      try Self.requireSame(units, texts, checkpoint, path)
    } else {
      checkpoint.unitsSHA256 = units.sha256
      for index in texts.indices { checkpoint.texts[index].sha256 = texts[index].sha256 }
    }
    self.checkpoint = checkpoint
    let model = try Transformer(path: options.model)
    let estimate = try SearchEstimate(options, checkpoint, units, model, inspection.geometry)
    remarks =
      texts.compactMap(\.remark) + options.unusedRemark
      + [estimate?.remark].compactMap(\.self)
    ledger = UnitLedger(checkpoint.state?.pending ?? [])
    pool = try Self.pool(
      options, checkpoint, units, model, inspection.geometry, environment, ledger)
  }

  // MARK: A checkpoint

  private static func saved(
    _ path: String, _ options: SearchOptions, _ geometry: RopeGeometry, _ identity: ModelIdentity
  ) throws -> Checkpoint {
    let checkpoint = try Checkpoint(path: path)
    guard checkpoint.model == identity else {
      throw ModelError.unsupported(
        path, "the checkpoint is for another model than \(options.model)")
    }
    guard checkpoint.space.pairs * 2 == geometry.rotaryDimensions else {
      throw ModelError.unsupported(
        path,
        "the checkpoint has \(checkpoint.space.pairs) pairs, but the model has another number")
    }
    try ResumeConflicts(options, checkpoint).check()
    return checkpoint
  }

  private static func requireSame(
    _ units: FitnessUnits, _ texts: [SearchText], _ checkpoint: Checkpoint, _ path: String
  ) throws {
    guard (checkpoint.state?.pending ?? []).allSatisfy({ $0.unit < units.count }) else {
      throw ModelError.unsupported(
        path, "the checkpoint is damaged: it has losses of units that the texts do not have")
    }
    guard units.sha256 != checkpoint.unitsSHA256 else { return }
    let changed = zip(texts, checkpoint.texts).first { $0.sha256 != $1.sha256 }?.1.path
    let which = changed.map { ": '\($0)' has changed" } ?? ""
    throw ModelError.unsupported(path, "the texts differ from those of the checkpoint\(which)")
  }

  // MARK: Workers

  /// - Throws: `ModelError` if a document needs more memory than is available.
  private static func pool(
    _ options: SearchOptions, _ checkpoint: Checkpoint, _ units: FitnessUnits,
    _ model: Transformer, _ geometry: RopeGeometry, _ environment: JobEnvironment,
    _ ledger: UnitLedger
  ) throws -> any EvaluatorPool {
    let ranks = try Ranks()
    let length = checkpoint.fitness.length
    let forward = ForwardPass(model, threads: 1)
    let needed =
      checkpoint.settings.algorithm == .gradient
      ? forward.gradientMemory(tokens: length) : forward.memory(tokens: length)
    let available = environment.availableMemory() ?? .max
    guard needed <= available else {
      throw ModelError.unsupported(
        options.model,
        """
        \(length) tokens need at least \(needed.memoryText) of memory; \
        \(available.memoryText) are available
        """)
    }
    let fitting = max(1, min(options.threads, available / 2 / max(1, 2 * needed)))
    let jobs = options.jobs ?? fitting
    // Several processes stop together, between generations.
    let stopCheck = StopCheck(environment, budget: ranks.isAlone ? options.timeBudget : nil)
    let pass = ForwardPass(
      model, threads: max(1, options.threads / jobs),
      precision: Precision(rawValue: checkpoint.precision) ?? .exact
    ) { try stopCheck() }
    let evaluator = Evaluator(checkpoint.space, units, pass, geometry: geometry)
    if !ranks.isAlone { return RankedPool(evaluator, jobs: jobs, ranks: ranks) }
    return LocalPool(evaluator, jobs: jobs, ledger: ledger)
  }
}
