import Formats
import Inference
import Models
import Numerics
import Patch

/// A model made ready for a verification, and the grid that is to be measured.
struct VerifySetup: Sendable {
  let options: VerifyOptions
  let followed: FollowedRuntimes
  let tokenizer: Tokenizer
  let scoring: Scoring
  let baseline: Scoring?
  let grid: TaskGrid
  let gates: [Gate]
  let ranks: Ranks
  /// What a user should know, but for how long the run takes.
  private(set) var remarks: [String] = []

  var originalWindow: Int { followed.inspection.geometry.originalWindow }

  /// - Parameter baseline: the baseline, if it is open already.
  init(
    _ options: VerifyOptions, _ session: borrowing ModelSession, _ environment: JobEnvironment,
    baseline known: OpenBaseline? = nil
  ) throws {
    try options.validate()
    self.options = options
    ranks = try Ranks()
    try OptionError.require(
      ranks.isAlone || options.shard == nil, "--shard and mpirun exclude each other")
    followed = try FollowedRuntimes(options, session)
    var tokenizer = try Tokenizer(path: options.model)
    try tokenizer.set(options.bos)
    self.tokenizer = tokenizer
    let opener = ModelOpener(options, environment)
    scoring = Scoring(
      try opener.forward(options.model, options.cache),
      followed.policies + (try followed.extensions(options, session)))
    let vocabulary = scoring.forward.model.vocabulary
    if tokenizer.vocabulary > vocabulary {
      remarks.append(tokenizer.remark(beyond: vocabulary))
    }
    let comparison = try known ?? Self.baseline(options, session, scoring.forward, opener)
    try comparison?.requireVocabulary(of: scoring.forward.model)
    baseline = comparison?.scoring
    var grid = try TaskGrid(
      options, followed.inspection.geometry, tokenizer, baselineWindow: comparison?.window)
    grid.divide(among: ranks)
    grid.baselineStates = comparison?.states
    self.grid = grid
    gates = options.gates(for: grid.tasks)
    if followed.inspection.format == .folder,
      try SafetensorsFolder(path: options.model)?.hasSecondSet == true
    {
      remarks.append(RunCheck.secondSet)
    }
    if case .folder(let folder) = try ModelFile(path: options.model),
      let remark = try folder.quantizationRemark()
    {
      remarks.append(remark)
    }
    remarks += grid.remarks
    let unused = options.unused(by: grid.tasks)
    if !unused.isEmpty {
      remarks.append("nothing that is measured uses \(unused.joined(separator: ", "))")
    }
    if let path = options.baseline?.path, let baseline {
      // The first rung of a ladder is one, and other caches of its model are not.
      if options.isComparedWithItself, known == nil {
        let cache = options.otherBaselineCache.map { ", with a cache of \($0)" } ?? ""
        remarks.append("the baseline is the model itself\(cache)")
      }
      let (own, other) = (scoring.forward.model, baseline.forward.model)
      if own.hidden != other.hidden || own.layers.count != other.layers.count {
        remarks.append(
          "the baseline \(path) is another model: \(other.layers.count) layers of width \(other.hidden), not \(own.layers.count) of \(own.hidden)"
        )
      }
    }
    if let remark = Self.remark(beyond: followed.inspection.geometry.window, grid.lengths) {
      remarks.append(remark)
    }
    if let remark = options.selfExtend.flatMap({ remark(beyond: $0) }) { remarks.append(remark) }
    try checkGates()
  }

  /// How long the run takes; nil if that is seconds, or if the time is up already.
  func estimate() throws -> VerifyEstimate? {
    do {
      return try VerifyEstimate.ofLongRun(self)
    } catch is EarlyStop {
      // The run ends at its beginning, and says what is missing.
      return nil
    }
  }

  /// The model to compare with.
  private static func baseline(
    _ options: VerifyOptions, _ session: borrowing ModelSession, _ forward: ForwardPass,
    _ opener: ModelOpener
  ) throws -> OpenBaseline? {
    switch options.baseline {
    case nil: return nil
    case .beforePatch?:
      // Given factors leave the model as it is; a patched model is rebuilt from its record.
      let before: Inspection
      if options.factors == nil {
        before = try Inspection(beforePatching: session)
      } else {
        before = try Inspection(session)
      }
      let followed = FollowedRuntimes(all: before)
      try followed.requirePolicies(options.model)
      return OpenBaseline(
        path: options.model, scoring: Scoring(forward, followed.policies),
        window: before.geometry.window)
    case .model(let path)?, .everywhere(let path)?:
      return try OpenBaseline(path, options.otherBaselineCache ?? options.cache, opener)
    }
  }

  /// A note on lengths that no runtime serves.
  private static func remark(beyond window: Int, _ lengths: [Int]) -> String? {
    let longer = lengths.filter { $0 > window }
    guard !longer.isEmpty else { return nil }
    let list = longer.map(String.init).joined(separator: ", ")
    return "\(list) tokens are beyond the model's window of \(window)"
  }

  /// A note on lengths at which Self-Extend meets distances that the model has not seen.
  private func remark(beyond selfExtend: SelfExtend) -> String? {
    let reach = selfExtend.reach(originalWindow: originalWindow)
    guard let longest = grid.lengths.max(), longest > reach else { return nil }
    return
      "Self-Extend with groups of \(selfExtend.group) and a window of \(selfExtend.window) keeps up to \(reach) tokens within the original window of \(originalWindow), not \(longest)"
  }

  // MARK: Checks before hours of work

  /// - Throws: `ModelError` if the longest sequence needs more memory than there is.
  func checkMemory(_ environment: JobEnvironment) throws {
    guard let longest = grid.lengths.max(), let available = environment.availableMemory() else {
      return
    }
    let needed = memory(tokens: longest)
    guard needed > available else { return }
    throw ModelError.unsupported(
      options.model,
      """
      \(longest) tokens need at least \(needed.memoryText) of memory; \
      \(available.memoryText) are available
      """)
  }

  /// The least number of bytes that a pass needs in addition to the mapped weights.
  func memory(tokens: Int) -> Int {
    scoring.forward.memory(tokens: tokens, isGrouped: options.selfExtend != nil)
  }

  /// - Throws: `OptionError` for a gate about something that is not measured anywhere.
  private func checkGates() throws {
    let places = grid.places(originalWindow: originalWindow)
    for gate in options.gates ?? [] {
      let isMeasured = places.contains { gate.covers($0.metric, length: $0.length, originalWindow) }
      let isFollowed =
        gate.runtime.map { name in scoring.policies.contains { $0.name == name } } ?? true
      try OptionError.require(
        isMeasured && isFollowed,
        "the gate '\(gate.text)' is about nothing that is measured here\(remedy(gate, places))")
    }
  }

  /// What would let a gate be about something: a task, a length or a runtime.
  private func remedy(_ gate: Gate, _ places: Set<Measurements.Place>) -> String {
    let lengths = Set(places.filter { $0.metric == gate.metric }.map(\.length)).sorted()
    if lengths.contains(where: { gate.covers(length: $0, originalWindow: originalWindow) }) {
      return "; the runtimes are \(scoring.policies.map(\.name).alternatives)"
    }
    if !lengths.isEmpty {
      return "; \(gate.metric.rawValue) is measured at \(lengths.map(String.init).alternatives)"
    }
    if gate.metric == .retained {
      return "; it takes --baseline and benchmarks, such as --task mmlu"
    }
    guard let name = TaskGrid.Task.name(measuring: gate.metric) else { return "" }
    let needsBaseline = gate.metric.isRetained || name == TaskGrid.Task.retention.name
    return "; --task \(name)\(needsBaseline ? " with --baseline or --against" : "") measures it"
  }
}
