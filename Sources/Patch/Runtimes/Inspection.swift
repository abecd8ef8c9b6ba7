import Formats
public import Models

/// The rotary embedding of a model: what the model declares, and what each runtime makes of it.
public struct Inspection: Sendable {
  /// The path of the model.
  public var path: String
  /// The format of the model.
  public var format: ModelFormat
  /// What the model declares.
  public var geometry: RopeGeometry
  /// The factors in the model, or nil if it has none.
  public var factors: ModelFactors?
  /// The record of the last patch: `version` and `factors_sha256`; empty if there is none.
  public var mark: [String: String]
  /// The reading by the papers' rule first, then those of the runtimes that read the format.
  public var readings: [RuntimeReading]

  /// The reading by the papers' rule if the model had no factors: with its other scaling, or with
  /// none.
  package var withoutFactors: RuntimeReading {
    factors == nil ? readings[0] : Self.paper(geometry, nil)
  }

  /// d_tcd as the index of a pair.
  public var theoreticalCriticalPair: Int {
    LongRoPE.theoreticalCriticalPair(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions,
      originalWindow: geometry.originalWindow)
  }

  /// Inspects a model.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  public init(_ session: borrowing ModelSession) throws {
    switch try session.open() {
    case .folder(let model): try self.init(model)
    case .gguf(let model): try self.init(model)
    }
  }

  /// Inspects a model as if `factors` were applied to it.
  ///
  /// Nothing is written.
  /// - Throws: what `Apply.plan` throws. But factors that some runtime cannot express are not
  ///   refused, because the reading of each runtime is shown.
  public init(_ session: borrowing ModelSession, overlaying factors: FactorSet) throws {
    let model = try session.open()
    let fitted = try ModelFactors(
      fitting: factors, to: model.geometry, subject: model.path, allowDivergent: true)
    switch model {
    case .folder(let folder):
      var options = ApplyOptions()
      options.allowDivergent = true
      let unsaved = PatchMark(version: lrpatchVersion, factorsSHA256: "")
      try self.init(folder.patched(with: fitted, options: options, mark: unsaved))
      // Nothing is written, so no version has patched it.
      mark = [:]
    case .gguf(let file): try self.init(file, overlaying: fitted)
    }
  }

  /// Reads a GGUF model as the runtimes would serve it with the long window.
  init(_ model: GGUFModel, overlaying fitted: ModelFactors) throws {
    path = model.path
    format = .gguf
    geometry = model.geometry
    geometry.window = fitted.window
    geometry.originalWindows = [fitted.originalWindow]
    geometry.scalingType = "longrope"
    factors = fitted
    mark = [:]
    let paper = Self.paper(geometry, fitted)
    guard model.architecture.takesFactorsInGGUF else {
      readings = [
        paper,
        .unsupported(
          .llamaCpp, "it does not support factors for the family '\(geometry.architecture)'"),
      ]
      return
    }
    readings =
      [paper]
      + Runtime.ofFiles.map {
        let reading = $0.reader.read(model, patchedLike: paper, fitted)
        return Self.judged(
          reading, $0, paper, model.path, fitted.window, model.architecture)
      }
  }

  /// Inspects the configs of a folder.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  package init(_ model: ModelFolder) throws {
    path = model.path
    format = .folder
    geometry = model.geometry
    factors = try model.storedFactors()
    mark = [:]
    for member in model.config.value[PatchMark.member]?.members ?? [] {
      mark[member.name] = member.value.text
    }
    let config = FolderConfig(model)
    let read = Runtime.allCases.map { ($0, $0.read(config)) }
    // Scalings other than LongRoPE are those of the first runtime that supports the model. If none
    // does, the embedding can only be plain.
    let supporting = read.first { $0.1.status != .unsupported || $0.1.long != nil }
    let scaled = supporting ?? (geometry.scalingType == "default" ? nil : read[0])
    let paper = Self.paper(geometry, factors, scaled: scaled?.1)
    readings = [paper]
    for (runtime, reading) in read {
      readings.append(
        Self.judged(
          reading, runtime, paper, model.path, model.geometry.window, model.architecture))
    }
  }

  /// Inspects the keys and tables of a GGUF model.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  package init(_ model: GGUFModel) throws {
    path = model.path
    format = .gguf
    geometry = model.geometry
    factors = try model.storedFactors()
    mark = [:]
    for name in ["version", "factors_sha256"] {
      mark[name] = model.first.header[key: "\(PatchMark.member).\(name)"]?.text
    }
    let paper = Self.paper(geometry, factors, scaled: Runtime.llamaCpp.reader.read(model))
    readings =
      [paper]
      + Runtime.ofFiles.map {
        Self.judged(
          $0.reader.read(model), $0, paper, model.path, model.geometry.window, model.architecture)
      }
  }

  private static func judged(
    _ reading: RuntimeReading, _ runtime: Runtime, _ paper: RuntimeReading, _ path: String,
    _ window: Int, _ architecture: Architecture
  ) -> RuntimeReading {
    var reading = reading
    if case .kept = reading.rule, reading.short != reading.long {
      reading.notes.append("keys cached before the crossing keep their short rotation")
    }
    reading.uncomputed = reading.uncomputed ?? architecture.uncomputed[runtime]
    if let other = reading.uncomputed, reading.long != nil {
      reading.notes.append("verify cannot follow it: \(other)")
    }
    reading.confine(to: window)
    reading.judge(against: paper)
    if [.ok, .divergent, .plain].contains(reading.status) {
      reading.serving = runtime.serving(window: window, model: path)
      if let warning = reading.chunkWarning, let option = reading.prefill?.option {
        reading.notes.append(warning)
        reading.serving += " \(option) \(window)"
      }
    }
    return reading
  }

  /// The reading by the papers' rule: short factors up to the original window, long factors beyond
  /// it, and all keys recomputed at the crossing.
  ///
  /// A model without factors keeps its scaling, as read by `scaled`.
  private static func paper(
    _ geometry: RopeGeometry, _ factors: ModelFactors?, scaled: RuntimeReading? = nil
  ) -> RuntimeReading {
    var reading = RuntimeReading(name: "paper", title: "paper")
    func table(_ name: String, _ list: [Double]?, _ mscale: Double) -> UsedTable {
      UsedTable(
        name: name, factors: list, mscale: mscale, theta: geometry.theta,
        rotaryDimensions: geometry.rotaryDimensions)
    }
    guard let factors else {
      // A scaling of factors scales nothing without them.
      guard let scaled, !["longrope", "su"].contains(geometry.scalingType) else {
        reading.short = table("none", nil, 1)
        reading.long = reading.short
        return reading
      }
      if scaled.long?.inverseFrequencies == nil { reading.notes = scaled.notes }
      (reading.short, reading.long) = (scaled.short, scaled.long)
      (reading.rule, reading.switching) = (scaled.rule, scaled.switching)
      return reading
    }
    reading.status = .ok
    reading.short = table("short", factors.short, factors.shortMscale)
    guard factors.window > factors.originalWindow else {
      // No input is longer than the original window.
      reading.long = reading.short
      return reading
    }
    reading.long = table("long", factors.long, factors.longMscale)
    reading.rule = .recomputed(beyond: factors.originalWindow)
    reading.switching = "once: length > \(factors.originalWindow), all keys recomputed"
    return reading
  }
}

extension ModelFolder {
  /// The factors in the config, or nil if there are none.
  func storedFactors() throws -> ModelFactors? {
    guard scaling?["long_factor"] != nil else { return nil }
    let set = try FactorSet(json: textConfig, subject: path)
    return try ModelFactors(fitting: set, to: geometry, subject: path, isStored: true)
  }
}

extension GGUFModel {
  /// The factors in the tensors, or nil if there are none.
  func storedFactors() throws -> ModelFactors? {
    guard longFactors != nil else { return nil }
    let set = try FactorSet(gguf: self)
    return try ModelFactors(fitting: set, to: geometry, subject: path, isStored: true)
  }
}
