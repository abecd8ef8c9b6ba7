import Formats

/// Everything that can be said of a model's rotary embedding: what it declares, and what each runtime makes of it.
public struct Inspection: Sendable {
  public var path: String
  /// `huggingface` or `gguf`.
  public var format: String
  public var geometry: RopeGeometry
  /// The factors that the model carries.
  public var factors: ModelFactors?
  /// Who patched the model, as it says itself.
  public var stamp: [String: String]
  /// The paper's rule first, then the runtimes that read the format.
  public var readings: [RuntimeReading]

  /// d_tcd as a pair index.
  public var theoreticalCriticalPair: Int {
    LongRoPE.theoreticalCriticalPair(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions,
      originalWindow: geometry.originalWindow)
  }

  /// - Parameter anyFamily: also GGUF files of families whose loaders take no factors.
  /// - Throws: `PatchError`, `FormatError` or `FileError`.
  public init(_ session: borrowing ModelSession, anyFamily: Bool = false) throws {
    switch session.kind {
    case .folder: try self.init(HuggingFaceModel(path: session.path))
    case .gguf: try self.init(GGUFModel(path: session.path, anyFamily: anyFamily))
    }
  }

  /// As the model would be seen if `factors` were applied to it, without writing anything.
  /// - Throws: as `Apply.plan` does; what some runtime cannot express is not refused, since each runtime is shown.
  public init(_ session: borrowing ModelSession, overlaying factors: FactorSet) throws {
    let stamp = Stamp(version: lrpatchVersion, factorsSHA256: "")
    switch session.kind {
    case .folder:
      let model = try HuggingFaceModel(path: session.path)
      let fitted = try ModelFactors(fitting: factors, to: model.geometry, subject: model.path, allowDivergent: true)
      let plan = try FolderPlanner(model: model, factors: fitted, options: ApplyOptions(), stamp: stamp).plan()
      let edit = plan.edits.first { $0.name == HuggingFaceModel.configName }
      if case .contents(_, let config?)? = edit?.action {
        try self.init(HuggingFaceModel(model, config: JSONDocument(parsing: config)))
      } else {
        try self.init(model)
      }
    case .gguf:
      let model = try GGUFModel(path: session.path, anyFamily: true)
      let fitted = try ModelFactors(fitting: factors, to: model.geometry, subject: model.path, allowDivergent: true)
      try self.init(model, overlaying: fitted)
    }
  }

  /// llama.cpp as it would serve the long window.
  private init(_ model: GGUFModel, overlaying fitted: ModelFactors) throws {
    path = model.path
    format = "gguf"
    geometry = model.geometry
    geometry.window = fitted.window
    geometry.originalWindows = [fitted.originalWindow]
    geometry.scalingType = "longrope"
    factors = fitted
    stamp = [:]
    let paper = Self.paper(geometry, fitted)
    var reading = RuntimeReading(.llamaCpp)
    guard model.architecture.takesFactors else {
      readings = [paper, .unsupported(.llamaCpp, "it takes no factors for the family '\(geometry.architecture)'")]
      return
    }
    reading.long = paper.long
    reading.short = paper.long
    readings = [paper, Self.judged(reading, .llamaCpp, paper, model.path, fitted.window)]
  }

  init(_ model: HuggingFaceModel) throws {
    path = model.path
    format = "huggingface"
    geometry = model.geometry
    factors = try model.carriedFactors()
    stamp = [:]
    for member in model.config.value[Stamp.member]?.members ?? [] {
      stamp[member.name] = member.value.text
    }
    let reader = FolderReader(model)
    let paper = Self.paper(geometry, factors, scaled: reader.read(.transformers5))
    readings =
      [paper] + Runtime.ofFolders.map { Self.judged(reader.read($0), $0, paper, model.path, model.geometry.window) }
    readings.append(reader.read(.llamaCpp))
  }

  init(_ model: GGUFModel) throws {
    path = model.path
    format = "gguf"
    geometry = model.geometry
    factors = try model.carriedFactors()
    stamp = [:]
    for name in ["version", "factors_sha256"] {
      stamp[name] = model.first.header[key: "\(Stamp.member).\(name)"]?.text
    }
    let reading = GGUFReader(model: model).read()
    let paper = Self.paper(geometry, factors, scaled: reading)
    readings = [paper, Self.judged(reading, .llamaCpp, paper, model.path, model.geometry.window)]
  }

  private static func judged(
    _ reading: RuntimeReading, _ runtime: Runtime, _ paper: RuntimeReading, _ path: String,
    _ window: Int
  ) -> RuntimeReading {
    var reading = reading
    reading.confine(to: window)
    reading.judge(against: paper)
    if [.ok, .divergent, .plain].contains(reading.status) {
      reading.serving = runtime.serving(window: window, model: path)
    }
    return reading
  }

  /// The papers' rule: short up to the original window, long beyond it, keys recomputed at the crossing. A model
  /// without factors keeps the scaling that it has, as `scaled` reads it.
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
      let isScaled = !["default", "longrope", "su"].contains(geometry.scalingType)
      reading.short = isScaled ? scaled?.long ?? table("none", nil, 1) : table("none", nil, 1)
      reading.long = reading.short
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

extension HuggingFaceModel {
  /// The factors in the config, or nil where there are none.
  func carriedFactors() throws -> ModelFactors? {
    guard scaling?["long_factor"] != nil else { return nil }
    let set = try FactorSet(json: textConfig, subject: path)
    return try ModelFactors(fitting: set, to: geometry, subject: path)
  }
}

extension GGUFModel {
  func carriedFactors() throws -> ModelFactors? {
    guard longFactors != nil else { return nil }
    let set = try FactorSet(gguf: self)
    return try ModelFactors(fitting: set, to: geometry, subject: path)
  }
}
