import Formats
import Inference
import Models
import Numerics
public import Patch
public import Verify

extension Comparison {
  /// Runs every set at the length, with its own attention scale.
  /// - Throws: `ModelError` for factors that do not fit the model, or texts that are too short;
  ///   `EarlyStop.interrupted`; `FormatError`; `FileError`.
  public init(
    _ options: ComparisonOptions, in session: borrowing ModelSession,
    environment: JobEnvironment = JobEnvironment()
  ) throws {
    let bench = try ComparisonBench(options, session, environment)
    try self.init(bench.sets.map(\.policy), bench.evaluator, jobs: options.threads)
    remarks = bench.remarks
  }
}

/// A model, units and sets of factors made ready to be compared.
struct ComparisonBench {
  /// One set, and how the model is rotated with it.
  struct Rotation {
    var factors: [Double]
    var startTokens: Int
    var mscale: Double
    var policy: RopePolicy
  }

  let geometry: RopeGeometry
  let units: FitnessUnits
  let evaluator: Evaluator
  let sets: [Rotation]
  let remarks: [String]

  /// - Throws: as `Comparison.init`.
  init(
    _ options: ComparisonOptions, _ session: borrowing ModelSession, _ environment: JobEnvironment
  ) throws {
    let geometry = try Inspection(session).geometry
    self.geometry = geometry
    let tokenizer = try Tokenizer(path: options.model)
    let paths = options.texts.isEmpty ? [""] : options.texts
    let texts = try paths.map { try SearchText($0, tokenizer) }
    units = try FitnessUnits(options.settings, texts: texts.map(\.tokens), tokenizer: tokenizer)
    sets = try options.sets.map { try options.rotation($0, geometry) }
    let stopCheck = StopCheck(environment, budget: nil)
    let forward = ForwardPass(
      try Transformer(path: options.model), threads: 1, precision: options.precision
    ) { try stopCheck() }
    let forms = geometry.settings(original: geometry.originalWindow, window: options.length)
    evaluator = Evaluator(SearchSpace(forms, mscale: 1), units, forward, geometry: geometry)
    remarks =
      texts.compactMap(\.remark) + options.seenTexts(texts.map(\.sha256)) + options.shorterWindows
  }

  /// The rotation with other factors, and all else of a set.
  func policy(_ factors: [Double], _ set: Rotation) -> RopePolicy {
    RopePolicy(
      trying: factors, startTokens: set.startTokens, mscale: set.mscale, pairMscales: nil,
      geometry: geometry)
  }
}

extension ComparisonOptions {
  fileprivate var settings: FitnessSettings {
    var settings = FitnessSettings(length: length)
    settings.documents = fitness.hasDocuments ? documents : 0
    settings.needles = fitness.hasNeedles ? needles : 0
    settings.needlePrompt = needlePrompt
    settings.seed = seed
    (settings.part, settings.parts) = (part.number, part.count)
    return settings
  }

  /// A remark for each set that a search found on the same text, or that does not say where it was
  /// found.
  fileprivate func seenTexts(_ texts: [String]) -> [String] {
    guard fitness.hasDocuments else { return [] }
    return sets.filter { $0 != Self.noFactors }.compactMap { path in
      guard let provenance = try? FactorSource(path: path).set.provenance else {
        return
          "\(path) does not say on which texts it was found; if these are among them, it has an advantage here"
      }
      let seen = (provenance["texts"]?.elements ?? []).compactMap { $0["sha256"]?.text }
      guard !Set(seen).isDisjoint(with: texts), provenance["documents"]?.integer != 0 else {
        return nil
      }
      let own = provenance["part"]?.text.flatMap { TextPart($0) } ?? .whole
      guard own.overlaps(part) else { return nil }
      let advice =
        TextPart(otherThan: own.number, of: own.count).map {
          "--part \($0) has what it did not see"
        }
        ?? "compare on another text"
      return "\(path) was searched on this text and has an advantage here; \(advice)"
    }
  }

  /// A remark for each set that is for a shorter window.
  fileprivate var shorterWindows: [String] {
    sets.filter { $0 != Self.noFactors }.compactMap { path in
      guard let window = (try? FactorSource(path: path))?.set.window, window < length else {
        return nil
      }
      return "\(path) is for \(window) tokens and is compared at \(length)"
    }
  }

  fileprivate func rotation(
    _ path: String, _ geometry: RopeGeometry
  ) throws -> ComparisonBench.Rotation {
    let pairs = geometry.rotaryDimensions / 2
    func made(_ factors: [Double], _ startTokens: Int, _ mscale: Double) -> ComparisonBench.Rotation
    {
      let policy = RopePolicy(
        trying: factors, startTokens: startTokens, mscale: mscale, pairMscales: nil,
        geometry: geometry)
      return ComparisonBench.Rotation(
        factors: factors, startTokens: startTokens, mscale: mscale, policy: policy)
    }
    if path == Self.noFactors { return made(Array(repeating: 1, count: pairs), 0, 1) }
    let set = try FactorSource(path: path).set
    guard let long = set.long.uniform, long.count == pairs else {
      throw ModelError.unsupported(
        path, "\(set.long.pairs) factors, expected one list of \(pairs)")
    }
    let mscale = set.mscale.values(
      originalWindow: set.originalWindow ?? geometry.originalWindow,
      window: set.window ?? length)
    return made(long, set.startTokens, mscale.long)
  }
}
