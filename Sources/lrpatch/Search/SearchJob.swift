import ArgumentParser
import Formats
import Foundation
import Patch
import Search
import Verify

/// One run of `search`: the model, its texts and the space, set up from options or from a checkpoint, and the loop.
struct SearchJob {
  enum Stop: Error {
    case timeBudget, evaluations, interrupted

    var message: String {
      switch self {
      case .timeBudget: "the time budget is used up; the best so far is written, and the checkpoint goes on from here"
      case .evaluations: "so many candidates as asked for are evaluated; the checkpoint goes on from here"
      case .interrupted: "interrupted; the checkpoint goes on from the last generation (--resume)"
      }
    }
  }

  struct Outcome {
    var run: SearchRun
    var stop: Stop?
    var seconds: Double
  }

  /// Settings, and the state to go on from.
  private(set) var checkpoint: Checkpoint
  private let command: SearchCommand
  private let units: FitnessUnits
  private let spread: any Spread

  init(_ command: SearchCommand, _ session: borrowing ModelSession) throws {
    self.command = command
    let inspection = try Inspection(session, anyFamily: true)
    let tokenizer = try Tokenizer(path: command.model)
    let identity = try ModelIdentity(path: command.model)
    var checkpoint: Checkpoint
    if let path = command.resume {
      checkpoint = try Checkpoint(path: path)
      guard checkpoint.model == identity else {
        throw PatchError.unsupported(path, "the checkpoint is of another model than \(command.model)")
      }
      guard checkpoint.space.pairs * 2 == inspection.geometry.rotaryDimensions else {
        throw PatchError.unsupported(path, "the checkpoint has \(checkpoint.space.pairs) pairs, the model others")
      }
      try Self.requireNoOtherSettings(than: checkpoint, command, inspection)
    } else {
      checkpoint = try Self.settings(command, inspection, identity)
    }
    let texts = try checkpoint.texts.map { try SearchText($0.path, tokenizer) }
    units = try FitnessUnits(checkpoint.fitness, texts: texts.map(\.tokens), tokenizer: tokenizer)
    if command.resume == nil {
      checkpoint.unitsSHA256 = units.sha256
      for index in texts.indices { checkpoint.texts[index].sha256 = texts[index].sha256 }
    } else {
      guard units.sha256 == checkpoint.unitsSHA256 else {
        let changed = zip(texts, checkpoint.texts).first { $0.sha256 != $1.sha256 }?.1.path
        throw PatchError.unsupported(
          command.resume ?? "",
          "the texts are not those of the checkpoint\(changed.map { ": '\($0)' has changed" } ?? "")")
      }
    }
    self.checkpoint = checkpoint
    spread = try Self.spread(command, checkpoint, units, inspection.geometry)
  }

  // MARK: Setting up

  /// - Throws: `ValidationError` for options beside --resume that say something else than its checkpoint.
  private static func requireNoOtherSettings(
    than saved: Checkpoint, _ command: SearchCommand, _ inspection: Inspection
  ) throws {
    func settings(_ command: SearchCommand) throws -> Checkpoint {
      var command = command
      if command.targetLength == nil {
        command.targetLength = TokenCount(argument: String(saved.space.settings.window))
      }
      return try Self.settings(command, inspection, saved.model)
    }
    let bare = try SearchCommand.parse([command.model, "-o", command.output, "--resume", command.resume ?? ""])
    let plain = try? settings(bare)
    let hasTarget = command.targetLength.map { $0.value == saved.space.settings.window } ?? true
    // Where no search begins without options, those that say nothing are not told from those that do.
    guard hasTarget, plain != nil || command.targetLength != nil else {
      if hasTarget { return }
      throw ValidationError(
        "--resume goes on to the \(saved.space.settings.window) tokens of its checkpoint; --target-length says another")
    }
    let names = try SearchResume(saved: saved).conflicts(
      CommandLine.arguments, given: settings(command), plain: plain)
    guard names.isEmpty else {
      throw ValidationError(
        "--resume goes on with the settings of its checkpoint, and \(names.joined(separator: ", ")) \(names.count == 1 ? "says" : "say") something else"
      )
    }
  }

  private static func settings(
    _ command: SearchCommand, _ inspection: Inspection, _ identity: ModelIdentity
  ) throws -> Checkpoint {
    guard let target = command.targetLength?.value else { throw ValidationError("--target-length is missing") }
    let geometry = inspection.geometry
    let original = command.originalLength?.value ?? geometry.originalWindow
    var (space, onto) =
      try command.readjust
      ? readjusted(command, inspection, original, target) : extended(command, inspection, original, target)
    space.searchesMscale = command.searchMscale
    space.searchesPairMscales = command.searchPairMscales
    if command.startTokens { space.startTokens = SearchSpace.paperStartTokens.filter { $0 < target } }
    var settings = SearchSettings(command.algorithmName)
    settings.evolution.population = command.population
    settings.evolution.parents = command.parents
    settings.evolution.mutants = command.mutants
    settings.evolution.crossovers = command.crossovers
    settings.evolution.iterations = command.iterations
    settings.evolution.probability = command.probability
    settings.generationSize = command.generationSize
    settings.criticalPair = command.criticalDimension
    settings.race.isOn = !command.noRace && command.asReleased == nil
    settings.race.alpha = command.raceAlpha
    settings.race.audit = command.raceAudit
    settings.seed = command.seedNumber
    if target >= 512 << 10, command.hasPaperSizes { settings.evolution = settings.evolution.halved }
    settings.initial = try command.initial.flatMap { try InitialFactors($0, space).candidates }
    if let long = onto?.long.uniform { settings.initial += Self.between(long, space) }
    return Checkpoint(
      settings: settings, space: space, fitness: fitness(command, target),
      texts: (command.text.isEmpty ? [""] : command.text).map { Checkpoint.Text(path: $0, sha256: "") },
      originalWindow: original, short: command.readjust ? nil : inspection.factors?.short, mscale: command.mscale.name,
      onto: onto.map { String(decoding: JSONStyle.compact.encode($0.json), as: UTF8.self) }, unitsSHA256: "",
      model: identity,
      precision: command.precision.rawValue)
  }

  /// A longer window; a model with factors is extended from where they have brought it.
  private static func extended(
    _ command: SearchCommand, _ inspection: Inspection, _ original: Int, _ target: Int
  ) throws -> (SearchSpace, FactorSet?) {
    let before = inspection.factors
    var forms = try inspection.geometry.settings(
      target: target, original: before?.window ?? original, subject: command.model)
    forms.criticalPair = command.criticalDimension
    if let pair = command.criticalDimension, !(1..<forms.pairs).contains(pair) {
      throw PatchError.unsupported(command.model, "the critical pair \(pair) is none of 1 to \(forms.pairs - 1)")
    }
    var space = SearchSpace(
      forms, base: before?.long, mscale: command.mscale.value.values(originalWindow: original, window: target).long)
    space.upper = command.maximum ?? (command.algorithmName == .longrope2 ? 2 : 1.25) * forms.scale
    return (space, nil)
  }

  /// A table for shorter inputs of a model that is extended (LongRoPE, section 3.3).
  private static func readjusted(
    _ command: SearchCommand, _ inspection: Inspection, _ original: Int, _ target: Int
  ) throws -> (SearchSpace, FactorSet?) {
    guard let factors = inspection.factors else {
      throw PatchError.unsupported(command.model, "carries no factors; --readjust is for a model that is extended")
    }
    guard target < factors.window else {
      throw PatchError.unsupported(
        command.model, "its window is \(factors.window) tokens; a table for \(target) is not for shorter inputs")
    }
    let own = FactorSet(
      originalWindow: factors.originalWindow, window: factors.window, long: .uniform(factors.long),
      short: .uniform(factors.short), mscale: .literal(long: factors.longMscale, short: factors.shortMscale))
    let set = try command.onto.map { try FactorSource(path: $0).set } ?? own
    guard set.long.pairs * 2 == inspection.geometry.rotaryDimensions else {
      throw PatchError.unsupported(command.onto ?? "", "\(set.long.pairs) factors, which do not fit the model")
    }
    var forms = ClosedForm.Settings(
      theta: inspection.geometry.theta, rotaryDimensions: inspection.geometry.rotaryDimensions,
      originalWindow: factors.originalWindow, window: target)
    forms.setTurns(family: inspection.geometry.architecture)
    var space = SearchSpace(
      forms, mscale: target <= factors.originalWindow ? factors.shortMscale : factors.longMscale)
    space.upper = command.maximum ?? max(space.lower, factors.long.max() ?? 1)
    return (space, set)
  }

  /// From no factors to those of the whole window.
  private static func between(_ long: [Double], _ space: SearchSpace) -> [Candidate] {
    [0, 0.25, 0.5, 0.75, 1].map { share in Candidate(space.fitted(long.map { pow(max($0, 1e-6), share) })) }
  }

  private static func fitness(_ command: SearchCommand, _ target: Int) -> FitnessSettings {
    var fitness = FitnessSettings(length: target)
    fitness.documents = command.fitness == .needle ? 0 : command.documents
    fitness.needles = command.fitness == .perplexity ? 0 : command.needles
    fitness.method = command.method.rawValue
    fitness.stride = command.stride
    fitness.needlePrompt = command.needlePrompt
    fitness.needlesAtStart = command.needlesAtStart
    fitness.needleWeight = command.needleWeight
    (fitness.part, fitness.parts) = (command.part.number, command.part.count)
    fitness.seed = command.seedNumber
    return fitness
  }

  /// - Throws: `VerifyError` that says how much memory a document needs, where there is less.
  private static func spread(
    _ command: SearchCommand, _ checkpoint: Checkpoint, _ units: FitnessUnits, _ geometry: RopeGeometry
  ) throws -> any Spread {
    let model = try Transformer(path: command.model)
    let threads = command.work.threadCount
    let precision = Precision(rawValue: checkpoint.precision) ?? .exact
    let needed = ForwardPass(model, threads: 1).memory(tokens: checkpoint.fitness.length)
    let available = ResourceUse.availableMemory ?? .max
    guard needed <= available else {
      throw VerifyError(
        command.model,
        "\(checkpoint.fitness.length) tokens need at least \(needed >> 20) MiB of memory; \(available >> 20) are available"
      )
    }
    let jobs = command.jobs ?? max(1, min(threads, available / 2 / max(1, 2 * needed)))
    let deadline = command.timeBudget.map { ContinuousClock.now.advanced(by: $0.duration) }
    #if MPI
    let isAlone = !MPISpread.isLaunched
    #else
    let isAlone = true
    #endif
    let forward = ForwardPass(model, threads: max(1, threads / jobs), precision: precision) {
      if Interruption.isPending { throw Stop.interrupted }
      // Several processes stop together, between generations.
      if isAlone, let deadline, ContinuousClock.now >= deadline { throw Stop.timeBudget }
    }
    let evaluator = Evaluator(checkpoint.space, units, forward, geometry: geometry)
    #if MPI
    if !isAlone { return try MPISpread(evaluator, jobs: jobs) }
    #endif
    return LocalSpread(evaluator, jobs: jobs)
  }

  // MARK: Running

  func run() throws -> Outcome {
    let start = ContinuousClock.now
    var run = SearchRun(
      checkpoint.settings, checkpoint.space, units, spread, state: checkpoint.state)
    let progress = ProgressLine(isShown: !command.common.quiet && !command.work.noProgress && spread.isFirst)
    let deadline = command.timeBudget.map { start.advanced(by: $0.duration) }
    Interruption.letCommandEnd()
    var stop: Stop?
    do {
      while true {
        if let most = command.evaluations, run.state.cost.evaluations >= most { throw Stop.evaluations }
        if try spread.agree(deadline.map { ContinuousClock.now >= $0 } ?? false) { throw Stop.timeBudget }
        guard let generation = try run.advance() else { break }
        if spread.isFirst { try save(run.state) }
        progress.show(share(generation), label(generation))
      }
    } catch let reason as Stop { stop = reason }
    progress.end()
    // A search that has ended has nothing to go on from.
    if stop == nil, command.checkpoint == nil, command.resume == nil, spread.isFirst {
      try? FileSystem.remove(checkpointPath)
    }
    let (seconds, attoseconds) = start.duration(to: .now).components
    return Outcome(run: run, stop: stop, seconds: Double(seconds) + Double(attoseconds) * 1e-18)
  }

  /// Whether this process writes what comes of it.
  var isFirst: Bool { spread.isFirst }

  var checkpointPath: String { command.checkpoint ?? command.resume ?? command.output + ".checkpoint" }

  private func save(_ state: SearchRun.State) throws {
    var checkpoint = checkpoint
    checkpoint.state = state
    try checkpoint.write(to: checkpointPath)
    if let log = command.log { try SearchLog(checkpoint, state).write(to: log) }
  }

  private func share(_ generation: SearchRun.Generation) -> Double {
    let done = command.evaluations.map { Double(generation.cost.evaluations) / Double($0) } ?? 0
    let total = checkpoint.settings.evolution.iterations
    return min(0.999, max(done, Double(generation.number + 1) / Double(total + 1)))
  }

  private func label(_ generation: SearchRun.Generation) -> String {
    let cost = generation.cost
    return
      "generation \(generation.number): best \(InspectReport.number(exp(generation.fitness))), \(cost.evaluations) candidates (\(cost.stopped) stopped early), \(cost.tokens / 1000)k tokens"
  }
}

extension MscaleChoice {
  var name: String {
    switch value {
    case .su: "su"
    case .yarn: "yarn"
    case .none: "none"
    case .literal(let long, _): String(long)
    }
  }
}
