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

  /// - Throws: `PatchError`, `FormatError` or `FileError`.
  public init(_ session: borrowing ModelSession) throws {
    switch session.kind {
    case .folder: try self.init(HuggingFaceModel(path: session.path))
    case .gguf: try self.init(GGUFModel(path: session.path))
    }
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
    let paper = Self.paper(geometry, factors)
    let reader = FolderReader(model)
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
    let paper = Self.paper(geometry, factors)
    readings = [
      paper,
      Self.judged(GGUFReader(model: model).read(), .llamaCpp, paper, model.path, model.geometry.window),
    ]
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

  /// The papers' rule: short up to the original window, long beyond it, keys recomputed at the crossing.
  private static func paper(_ geometry: RopeGeometry, _ factors: ModelFactors?) -> RuntimeReading {
    var reading = RuntimeReading(name: "paper", title: "paper")
    func table(_ name: String, _ list: [Double]?, _ mscale: Double) -> UsedTable {
      UsedTable(
        name: name, mscale: mscale,
        inverseFrequencies: LongRoPE.inverseFrequencies(
          theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factors: list))
    }
    guard let factors else {
      reading.short = table("none", nil, 1)
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
