package import Formats
public import Models

/// Options of `Apply`.
public struct ApplyOptions: Sendable {
  /// Overrides the window of the factors, in tokens.
  public var targetWindow: Int?
  /// Write values that some runtime cannot express.
  public var allowDivergent = false
  /// Keep a sliding window that is smaller than the new window.
  public var keepSlidingWindow = false
  /// Edit a file even if another process has it open.
  public var force = false
  /// Link unchanged files into an output folder instead of copying them.
  public var hardLinks = false
  /// The runtimes that must use the factors.
  public var runtimes: [Runtime] = []

  /// The defaults: none of the options.
  public init() {}
}

/// Writes factors into a model.
public struct Apply: Sendable {
  /// The factors to apply.
  public let factors: FactorSet
  /// The options.
  public let options: ApplyOptions
  let mark: PatchMark

  /// - Parameters:
  ///   - factorsSHA256: the checksum of the factors' source, recorded in the model.
  ///   - version: the version of lrpatch, recorded in the model.
  public init(_ factors: FactorSet, factorsSHA256: String, version: String, options: ApplyOptions) {
    self.factors = factors
    self.options = options
    mark = PatchMark(version: version, factorsSHA256: factorsSHA256)
  }

  /// The changes that `perform` would make; empty if the model already has exactly these factors.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  public func plan(for session: borrowing ModelSession) throws -> Plan {
    var plan =
      switch try session.open() {
      case .folder(let model): try folderPlan(model)
      case .gguf(let model): try ggufPlan(model)
      }
    if !plan.isEmpty { plan.remarks += Signatures.remarks(beside: session) }
    return plan
  }

  /// A remark if the model ends up with a smaller window than it has.
  private func remarks(_ fitted: ModelFactors, shrinking geometry: RopeGeometry) -> [String] {
    guard fitted.window < geometry.window else { return [] }
    return ["the window shrinks from \(geometry.window) to \(fitted.window) tokens"]
  }

  /// Performs a plan on the model in place: all of it, or nothing.
  /// - Throws: `ModelError` of kind `unsafe` for a symbolic link, hard links, a file in a Hub
  ///   cache, a file that has changed, or a file that another process has open; `FileError`.
  public func perform(_ plan: Plan, in session: borrowing ModelSession) throws {
    guard !plan.isEmpty else { return }
    if try FileStatus(of: session.path, followingLinks: false).kind == .link {
      throw ModelError.unsafe(
        session.path, "is a symbolic link, and its target may be shared; write a copy with -o")
    }
    try FileSafety.requireOutsideHubCache(session.path)
    try session.writer.perform(plan.edits, force: options.force)
  }

  // MARK: Folders

  private func folderPlan(_ model: ModelFolder) throws -> Plan {
    let fitted = try fit(to: model.geometry, model.path)
    try refuseDivergence(of: fitted, model)
    try requireRuntimes {
      try Inspection(model.patched(with: fitted, options: options, mark: mark))
    }
    var plan = try ConfigEdits(model: model, factors: fitted, options: options, mark: mark)
      .plan()
    plan.remarks += factors.anomalies + remarks(fitted, shrinking: model.geometry)
    guard !plan.isEmpty else { return plan }
    let files = plan.edits.compactMap { edit -> UndoRecord.File? in
      guard case .contents(let old?, let new?) = edit.action else { return nil }
      return UndoRecord.File(
        name: edit.name, before: Base64Bytes(old), after: Base64Bytes(new))
    }
    let record = UndoRecord(
      version: mark.version, factorsSHA256: mark.factorsSHA256, files: files)
    // The record comes first: a changed config must never be without its undo record.
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

  private func refuseDivergence(of fitted: ModelFactors, _ model: ModelFolder) throws {
    guard !options.allowDivergent else { return }
    let partial = try RopeConfig(model.textConfig, model.path).partialRotaryFactor() ?? 1
    if partial != 1, !model.architecture.rotatesPartiallyInMLX {
      throw ModelError.unsafe(
        model.path,
        "partial_rotary_factor is \(partial): MLX-LM rotates whole heads in this family and cannot express it; --allow-divergent writes the factors anyway"
      )
    }
    let runtimes = fitted.runtimesThatCannotExpressMscale(model.architecture)
    guard !runtimes.isEmpty else { return }
    let what =
      fitted.mscalesDiffer
      ? "mscale is \(fitted.longMscale) for long and \(fitted.shortMscale) for short inputs"
      : "mscale is \(fitted.longMscale) instead of the derived value"
    throw ModelError.unsafe(
      model.path,
      "\(what): \(Runtime.list(runtimes)) cannot express it; --allow-divergent writes it anyway")
  }

  /// Refuses the factors if a runtime that must use them would not.
  /// - Parameter patched: inspects the model as it will be.
  /// - Throws: `ModelError` of kind `unsafe` that names each such runtime with its reason.
  private func requireRuntimes(_ patched: () throws -> Inspection) throws {
    guard !options.runtimes.isEmpty else { return }
    let inspection = try patched()
    let failing = options.runtimes.compactMap { runtime -> String? in
      let reading = inspection.readings.first { $0.name == runtime.rawValue }
      switch reading?.status {
      case .ok?: return nil
      case .divergent? where options.allowDivergent: return nil
      case nil: return "\(runtime.title): does not read this format"
      case let status?:
        return
          "\(runtime.title): \(reading?.notes.first ?? "it would use other factors (\(status.rawValue))")"
      }
    }
    guard failing.isEmpty else {
      throw ModelError.unsafe(
        inspection.path, "the factors would not be used by \(failing.joined(separator: "; by "))")
    }
  }

  // MARK: GGUF

  /// The keys and tables of a GGUF model with the factors, for a file that is written from scratch.
  package struct Contents {
    package var setKeys: [GGUFKey]
    package var removedKeys: Set<String>
    package var tables: [(name: String, values: [Float])]
    package var removedTensors: Set<String>
  }

  /// The keys and tables of `model` with the factors.
  /// - Throws: `ModelError` if llama.cpp does not support factors for the architecture, or if these
  ///   factors cannot be written.
  package func contents(for model: GGUFModel) throws -> Contents {
    let gguf = try takingFactors(model)
    let longRoPE = GGUFLongRoPE(try fitGGUF(model), gguf)
    return Contents(
      setKeys: longRoPE.keys + mark.keys, removedKeys: GGUFLongRoPE.staleKeys(in: model),
      tables: longRoPE.tables, removedTensors: [GGUFModel.frequenciesName])
  }

  private func fitGGUF(_ model: GGUFModel) throws -> ModelFactors {
    let fitted = try fit(to: model.geometry, model.path)
    if !options.allowDivergent { try GGUFLongRoPE.requireOneMscale(fitted, model.path) }
    return fitted
  }

  /// How llama.cpp handles the architecture.
  /// - Throws: `ModelError` if its loader takes no factors.
  private func takingFactors(_ model: GGUFModel) throws(ModelError) -> Architecture.GGUF {
    if let gguf = model.architecture.gguf, model.architecture.takesFactorsInGGUF { return gguf }
    let names = Architecture.list({ $0.takesFactorsInGGUF }, by: { $0.gguf?.name })
    throw .unsupported(
      model.path,
      "llama.cpp's loader for architecture '\(model.geometry.architecture.sanitized)' refuses or ignores factor tensors, expected one of \(names)"
    )
  }

  private func ggufPlan(_ model: GGUFModel) throws -> Plan {
    let gguf = try takingFactors(model)
    let fitted = try fitGGUF(model)
    try requireRuntimes { try Inspection(model, overlaying: fitted) }
    let edits = try GGUFFactorEdits(
      model: model, gguf: gguf, factors: fitted, options: options, mark: mark
    ).edits()
    let remarks = factors.anomalies + remarks(fitted, shrinking: model.geometry)
    var plan = Plan(changes: [], remarks: remarks, edits: [])
    guard edits.contains(where: { !$0.isEmpty }) else { return plan }
    plan.edits = try GGUFFileEdits(model: model, mark: mark).fileEdits(edits)
    for (shard, edit) in zip(model.shards, edits) {
      plan.changes += edit.changes(in: shard.header, file: FileSystem.name(of: shard.path))
    }
    return plan
  }
}

extension ModelFactors {
  /// The runtimes that compute a different attention scale from that of these factors, however it
  /// is written.
  func runtimesThatCannotExpressMscale(_ architecture: Architecture) -> [Runtime] {
    if isMscaleDerived { return [] }
    return Runtime.allCases.filter { runtime in
      architecture.unsupported[runtime] == nil
        && runtime.reader.changesMscale(of: self, in: architecture)
    }
  }
}

extension Architecture {
  /// Whether MLX-LM supports partially rotated heads, or does not need to.
  fileprivate var rotatesPartiallyInMLX: Bool {
    unsupported[.mlx] != nil || rope.dimensions != .head || mlx.rotatesPartially
  }
}
