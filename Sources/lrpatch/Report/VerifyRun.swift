import ArgumentParser
import Formats
import Foundation
import Patch
import Verify

/// One run of `verify`: sets up the model, its followers and the grid, and measures until it is done or has to stop.
struct VerifyRun {
  /// Why a run ended early.
  enum Stop: Error {
    case timeBudget, interrupted

    var message: String {
      switch self {
      case .timeBudget: "the time budget is used up; what is known is reported, the rest counts as not measured"
      case .interrupted: "interrupted; what is known is reported"
      }
    }
  }

  struct Outcome {
    var measured: Measurements
    var verdicts: [Verdict]
    var stop: Stop?
    /// Runtimes that read such models but cannot be followed, with the reason.
    var unfollowed: [(runtime: String, reason: String)]
    var texts: [String]
    var inspection: Inspection
    var seconds: Double
  }

  private let command: VerifyCommand
  private let inspection: Inspection
  private let followers: [Follower]
  private let tokenizer: Tokenizer
  private let forward: ForwardPass
  private let baseline: Scoring?
  private var unfollowed: [(runtime: String, reason: String)] = []

  init(_ command: VerifyCommand, _ session: borrowing ModelSession) throws {
    self.command = command
    let set = try command.factors.map { try FactorSource(path: $0).set }
    if let set, set.isBeyondRuntimes {
      var inspection = try Inspection(session, anyFamily: true)
      inspection.geometry.originalWindows = [set.originalWindow ?? inspection.geometry.originalWindow]
      inspection.geometry.window = set.window ?? inspection.geometry.window
      self.inspection = inspection
      let reason = "it cannot express start tokens, lists that differ by layer, or tables by length"
      if let other = command.runtime.first(where: { !["all", "paper"].contains($0) }) {
        throw VerifyError(command.factors ?? "", "cannot be followed as \(other): \(reason)")
      }
      followers = [try Follower(paper: set, geometry: inspection.geometry)]
      unfollowed = inspection.readings.dropFirst().map { ($0.name, reason) }
    } else {
      inspection = try set.map { try Inspection(session, overlaying: $0) } ?? Inspection(session, anyFamily: true)
      (followers, unfollowed) = try Self.followers(inspection, command.runtime)
    }
    guard !followers.isEmpty else {
      throw VerifyError(
        command.model,
        "no runtime can be followed: \(unfollowed.map { "\($0.runtime): \($0.reason)" }.joined(separator: "; "))")
    }
    var tokenizer = try Tokenizer(path: command.model)
    try tokenizer.set(command.bos)
    self.tokenizer = tokenizer
    let forward = Self.forward(try Transformer(path: command.model), command)
    self.forward = forward
    guard tokenizer.vocabulary <= forward.model.vocabulary else {
      throw VerifyError(
        command.model, "the tokenizer has \(tokenizer.vocabulary) tokens and the model \(forward.model.vocabulary)")
    }
    if let other = command.baseline {
      baseline = try Self.baseline(other, session, forward, command)
    } else {
      baseline = nil
    }
    if let other = baseline?.forward.model.vocabulary, other != forward.model.vocabulary {
      throw VerifyError(
        command.baseline ?? "", "its vocabulary has \(other) tokens, that of the model \(forward.model.vocabulary)")
    }
  }

  /// Ends between blocks of work when a signal has come or the time is used up.
  private static func forward(_ model: Transformer, _ command: VerifyCommand) -> ForwardPass {
    let deadline = command.timeBudget.map { ContinuousClock.now.advanced(by: $0.duration) }
    var pass = ForwardPass(
      model, threads: command.work.threadCount, precision: command.precision
    ) {
      if Interruption.isPending { throw Stop.interrupted }
      if let deadline, ContinuousClock.now >= deadline { throw Stop.timeBudget }
    }
    if let available = ResourceUse.availableMemory { pass.cacheLimit = available / 4 * 3 }
    return pass
  }

  /// The runtimes that run this model at all; one that is named must.
  private static func followers(
    _ inspection: Inspection, _ names: [String]
  ) throws -> ([Follower], [(runtime: String, reason: String)]) {
    if !names.contains("all") {
      return (try inspection.readings.filter { names.contains($0.name) }.map(Follower.init), [])
    }
    var followers: [Follower] = []
    var others: [(runtime: String, reason: String)] = []
    for reading in inspection.readings {
      do { followers.append(try Follower(reading)) } catch let error as VerifyError {
        others.append((reading.name, error.message))
      }
    }
    return (followers, others)
  }

  private static func baseline(
    _ path: String, _ session: borrowing ModelSession, _ forward: ForwardPass, _ command: VerifyCommand
  ) throws -> Scoring {
    if path.isEmpty {
      // The overlay of factors leaves the model as it is; a patched one is rebuilt from its record.
      let before =
        try command.factors == nil ? Inspection(beforePatching: session) : Inspection(session, anyFamily: true)
      return Scoring(forward, try followers(before, ["all"]).0)
    }
    let other = try ModelSession(path: path, exclusive: false)
    return Scoring(
      Self.forward(try Transformer(path: path), command), try followers(Inspection(other, anyFamily: true), ["all"]).0)
  }

  // MARK: Measuring

  func measure() throws -> Outcome {
    let start = ContinuousClock.now
    let campaign = try campaign()
    try checkMemory(campaign)
    try checkGates(campaign)
    if !unfollowed.isEmpty {
      for (reason, names) in Dictionary(grouping: unfollowed, by: \.reason).sorted(by: { $0.key < $1.key }) {
        command.common.note("not followed: \(names.map(\.runtime).joined(separator: ", ")): \(reason)")
      }
    }
    var measured = Measurements(originalWindow: inspection.geometry.originalWindow)
    var stop: Stop?
    let progress = ProgressLine(isShown: !command.common.quiet && !command.work.noProgress)
    Interruption.letCommandEnd()
    do {
      try campaign.run(Scoring(forward, followers), baseline: baseline, tokenizer, into: &measured) {
        progress.show($0.share, $0.label)
      }
    } catch let reason as Stop {
      stop = reason
    }
    progress.end()
    let (seconds, attoseconds) = start.duration(to: .now).components
    return Outcome(
      measured: measured, verdicts: gates(campaign).map(measured.judge), stop: stop, unfollowed: unfollowed,
      texts: campaign.texts.map(\.name), inspection: inspection, seconds: Double(seconds) + Double(attoseconds) * 1e-18)
  }

  private func gates(_ campaign: Campaign) -> [Gate] {
    if command.noGates || command.shard != nil { return [] }
    var texts = command.require
    if texts.isEmpty {
      if campaign.tasks.contains(.passkey) { texts.append("passkey>=0.9") }
      if campaign.tasks.contains(.retention) { texts.append("perplexity_ratio@short<=1.05") }
    }
    return texts.compactMap(VerifyCommand.gate)
  }

  /// - Throws: `ValidationError` for a gate about something that this run does not measure anywhere.
  private func checkGates(_ campaign: Campaign) throws {
    for gate in command.require.compactMap(VerifyCommand.gate) {
      let places = campaign.places(originalWindow: inspection.geometry.originalWindow)
      guard places.contains(where: { gate.covers($0.metric, length: $0.length, inspection.geometry.originalWindow) }),
        gate.runtime.map({ name in followers.contains { $0.name == name } }) ?? true
      else { throw ValidationError("the gate '\(gate.text)' is about nothing that is measured here") }
    }
  }

  private var lengths: [Int] {
    if let lengths = command.lengths { return TokenCount.list(lengths) ?? [] }
    let original = inspection.geometry.originalWindow
    var result = [original / 2, original]
    while let last = result.last, last * 2 <= inspection.geometry.window { result.append(last * 2) }
    return result
  }

  private var tasks: [Campaign.Task] {
    if command.task.isEmpty {
      return [.passkey] + (command.perplexity.isEmpty ? [] : [.perplexity])
        + (command.baseline == nil ? [] : [.retention])
    }
    var seen: Set<Campaign.Task> = []
    let named = command.task.flatMap { name in
      name == "ruler" ? RULERTask.allCases.map { .ruler($0) } : Campaign.Task(name: name).map { [$0] } ?? []
    }
    return (named + (command.baseline == nil ? [] : [.retention])).filter { seen.insert($0).inserted }
  }

  private func campaign() throws -> Campaign {
    var campaign = Campaign()
    campaign.tasks = tasks
    campaign.lengths = Array(Set(lengths)).sorted()
    campaign.depths =
      command.depths == 1 ? [0.5] : (0..<command.depths).map { Double($0) / Double(command.depths - 1) }
    campaign.samples = command.samples
    campaign.seed = command.seed
    campaign.style = command.passkeyPrompt
    campaign.method = command.method
    campaign.stride = command.stride
    campaign.windows = command.windows
    campaign.shard = command.shard.flatMap(Campaign.Shard.init)
    try addTexts(&campaign)
    return campaign
  }

  /// Tokenizing a book takes a moment, so only what a task needs is.
  private func addTexts(_ campaign: inout Campaign) throws {
    let isTokenized = campaign.tasks.contains { [.perplexity, .retention, .crossing, .niah].contains($0) }
    let isRead =
      isTokenized || campaign.tasks.contains { if case .ruler(let task) = $0 { task.needsEssay } else { false } }
    guard isRead else { return }
    var texts = try command.perplexity.map {
      (name: $0, text: try FileSystem.text(FileSystem.contents(of: $0), of: $0))
    }
    if texts.isEmpty { texts = [(ShippedText.name, try ShippedText.text())] }
    // No window begins later than this, and no token is shorter than a byte or, in prose, longer than 16.
    let most = (campaign.lengths.max() ?? 0) * campaign.windows + campaign.stride * campaign.windows
    if isTokenized {
      campaign.texts = texts.map { .init(name: $0.name, tokens: tokenizer.encode(String($0.text.prefix(16 * most)))) }
      campaign.haystack = .init(name: campaign.texts[0].name, tokens: campaign.texts.flatMap(\.tokens))
    }
    campaign.essay = RULEREssay(
      texts.map(\.text).joined(separator: "\n"), name: texts.map(\.name).joined(separator: ", "))
  }

  /// - Throws: `VerifyError` that says how much memory the longest sequence needs, where there is less.
  private func checkMemory(_ campaign: Campaign) throws {
    guard let longest = campaign.lengths.max(), let available = ResourceUse.availableMemory else { return }
    let needed = forward.memory(tokens: longest)
    guard needed > available else { return }
    func gibibytes(_ bytes: Int) -> String { "\((Double(bytes) / Double(1 << 30) * 10).rounded() / 10) GiB" }
    throw VerifyError(
      command.model,
      "\(longest) tokens need at least \(gibibytes(needed)) of memory; \(gibibytes(available)) are available")
  }
}

extension FactorSet {
  /// Whether it holds what no runtime can express.
  fileprivate var isBeyondRuntimes: Bool {
    startTokens > 0 || !buckets.isEmpty || long.uniform == nil || (short.map { $0.uniform == nil } ?? false)
  }
}
