package import Formats

/// How factors are to be applied.
public struct ApplyOptions: Sendable {
  /// Overrides the factors' window, in tokens.
  public var targetWindow: Int?
  /// Write what some runtime cannot express.
  public var allowDivergent = false
  /// Leave a sliding window that is smaller than the new window.
  public var keepSlidingWindow = false
  /// Edit a file that another process has open.
  public var force = false
  /// With an output folder: link the weights instead of copying them.
  public var hardLinks = false

  public init() {}
}

/// Puts factors into a model.
public struct Apply: Sendable {
  public let factors: FactorSet
  public let options: ApplyOptions
  let stamp: Stamp

  /// - Parameters:
  ///   - factorsSHA256: of the bytes that the factors came from, recorded in the model.
  ///   - version: of this program, recorded likewise.
  public init(_ factors: FactorSet, factorsSHA256: String, version: String, options: ApplyOptions) {
    self.factors = factors
    self.options = options
    stamp = Stamp(version: version, factorsSHA256: factorsSHA256)
  }

  /// What would change; empty where the model already carries exactly these factors.
  /// - Throws: `PatchError`, `FormatError` or `FileError`.
  public func plan(for session: borrowing ModelSession) throws -> Plan {
    var plan =
      switch session.kind {
      case .folder: try folderPlan(HuggingFaceModel(path: session.path))
      case .gguf: try ggufPlan(GGUFModel(path: session.path))
      }
    if !plan.isEmpty { plan.remarks += Signatures.remarks(beside: session) }
    return plan
  }

  /// Performs a plan where the model is.
  public func perform(_ plan: Plan, in session: borrowing ModelSession) throws {
    guard !plan.isEmpty else { return }
    if try FileStatus(of: session.path, followingLinks: false).kind == .link {
      throw PatchError.unsafe(
        session.path, "a symbolic link: what it points at may be shared; write a copy with -o")
    }
    try Safety.requireOutsideHubCache(session.path)
    try session.writer.perform(plan.edits, force: options.force)
  }

  // MARK: Folders

  private func folderPlan(_ model: HuggingFaceModel) throws -> Plan {
    let fitted = try fit(to: model.geometry, model.path)
    try refuseDivergence(of: fitted, model)
    var plan = try FolderPlanner(model: model, factors: fitted, options: options, stamp: stamp)
      .plan()
    plan.remarks += factors.oddities
    guard !plan.isEmpty else { return plan }
    let files = plan.edits.compactMap { edit -> UndoRecord.File? in
      guard case .contents(let old?, let new?) = edit.action else { return nil }
      return UndoRecord.File(name: edit.name, before: PackedBytes(old), after: PackedBytes(new))
    }
    let record = UndoRecord(
      version: stamp.version, factorsSHA256: stamp.factorsSHA256, files: files)
    // The record first: a config must never be without the means to undo it.
    let name = UndoFolder(modelPath: model.path).nextName
    plan.edits.insert(
      FileEdit(name: name, action: .contents(old: nil, new: try record.encoded())), at: 0)
    return plan
  }

  private func fit(to geometry: RopeGeometry, _ path: String) throws -> ModelFactors {
    try ModelFactors(
      fitting: factors, to: geometry, subject: path, targetWindow: options.targetWindow,
      allowDivergent: options.allowDivergent, requiresOriginalWindow: true)
  }

  private func refuseDivergence(of fitted: ModelFactors, _ model: HuggingFaceModel) throws {
    guard !options.allowDivergent else { return }
    let partial = try ConfigReader(model.textConfig, model.path).partialRotaryFactor() ?? 1
    if partial != 1, model.architecture.ignoresPartialRotaryInMLX {
      throw PatchError.unsafe(
        model.path,
        "partial_rotary_factor \(partial): MLX-LM rotates whole heads in this family and cannot express it; --allow-divergent writes the factors all the same"
      )
    }
    let runtimes = fitted.runtimesThatCannotExpressMscale(model.architecture)
    guard !runtimes.isEmpty else { return }
    let what =
      fitted.mscalesDiffer
      ? "mscale \(fitted.longMscale) for long and \(fitted.shortMscale) for short inputs"
      : "mscale \(fitted.longMscale) instead of the derived one"
    throw PatchError.unsafe(
      model.path,
      "\(what): \(Runtime.list(runtimes)) cannot express it; --allow-divergent writes it all the same")
  }

  // MARK: GGUF

  /// What a GGUF model's keys and tables are to be, for a file that is written anew.
  package struct Contents {
    package var setKeys: [(name: String, value: GGUFValue)]
    package var removedKeys: Set<String>
    package var tables: [(name: String, values: [Float])]
    package var removedTensors: Set<String>
  }

  /// - Throws: `PatchError` where the architecture takes no factors, or these cannot be written.
  package func contents(for model: GGUFModel) throws -> Contents {
    _ = try GGUFArchitecture.named(model.architecture.name, subject: model.path)
    let factors = try fitGGUF(model)
    let planner = GGUFPlanner(model: model, factors: factors, stamp: stamp)
    return Contents(
      setKeys: planner.wantedKeys + planner.stampKeys, removedKeys: planner.staleKeys,
      tables: [
        (GGUFModel.shortName, factors.short.map { Float($0) }), (GGUFModel.longName, factors.long.map { Float($0) }),
      ], removedTensors: [GGUFModel.frequenciesName])
  }

  private func fitGGUF(_ model: GGUFModel) throws -> ModelFactors {
    let fitted = try fit(to: model.geometry, model.path)
    if fitted.mscalesDiffer, !options.allowDivergent {
      throw PatchError.unsafe(
        model.path,
        "mscale \(fitted.longMscale) for long and \(fitted.shortMscale) for short inputs: llama.cpp has one for both; --allow-divergent writes the long one"
      )
    }
    return fitted
  }

  private func ggufPlan(_ model: GGUFModel) throws -> Plan {
    let fitted = try fitGGUF(model)
    let edits = try GGUFPlanner(model: model, factors: fitted, stamp: stamp).edits()
    var plan = Plan(changes: [], remarks: factors.oddities, edits: [])
    guard edits.contains(where: { !$0.isEmpty }) else { return plan }
    plan.edits = try GGUFPlanBuilder(model: model, stamp: stamp).fileEdits(edits)
    for (shard, edit) in zip(model.shards, edits) {
      plan.changes += edit.changes(in: shard.header, file: FileSystem.name(of: shard.path))
    }
    return plan
  }
}

extension ModelFactors {
  /// Runtimes that would compute another attention scale than these factors say, however it is written.
  func runtimesThatCannotExpressMscale(_ architecture: Architecture) -> [Runtime] {
    if isMscaleDerived { return [] }
    let candidates = Runtime.ofFolders.filter { architecture.unsupported[$0] == nil }
    return candidates.filter { runtime in
      switch runtime {
      case .vllm, .sglang: false
      case .transformers5, .transformers4:
        (mscalesDiffer && !architecture.requiresMscales)
          || (runtime == .transformers4 && architecture.takesThreeKeysOnly)
      // MLX-LM reads long_mscale in phimoe only, and always uses the long table.
      case .mlx: !architecture.requiresMscales
      case .llamaCpp: false
      }
    }
  }
}
