import Inference
import Models
import Numerics
import Patch
import Verify

/// What a search found, compared with closed forms, on data that the search did not see.
public struct HeldOut: Sendable {
  /// The names of the sets: the found one, then the ones that it is compared with.
  public let names: [String]
  /// Their losses.
  public let comparison: Comparison
  /// The part of the texts, such as 2/2; nil for other needles.
  public let part: TextPart?
  /// The number of documents or needles.
  public let units: Int

  /// The name of what was found.
  public static let found = "found"
  /// What it is compared with, besides the model without factors.
  private static let forms: [ClosedForm] = [.yarn, .ntkTheta]
  /// Added to the seed of a search for needles that it did not see.
  private static let otherSeed: UInt64 = 0x5EED

  /// Compares a set.
  /// - Returns: nil if the search saw the whole texts.
  init?(
    _ factors: FactorSet, _ checkpoint: Checkpoint, _ options: SearchOptions,
    _ session: borrowing ModelSession, environment: JobEnvironment
  ) throws {
    var settings = checkpoint.fitness
    let other = TextPart(otherThan: settings.part, of: settings.parts)
    let usesTexts = settings.documents > 0 || settings.needlePrompt == .keys
    part = usesTexts ? other : nil
    if usesTexts {
      guard let part else { return nil }
      (settings.part, settings.parts) = (part.number, part.count)
    }
    if settings.documents > 0 {
      settings.documents = 2 * max(4, settings.documents)
      settings.needles = 0
      units = settings.documents
    } else if settings.needlePrompt == .keys {
      settings.needles = 2 * max(4, settings.needles)
      settings.seed &+= Self.otherSeed
      units = settings.needles
    } else {
      settings.needles = max(20, settings.needles)
      settings.seed &+= Self.otherSeed
      units = settings.needles
    }
    let geometry = try Inspection(session).geometry
    let tokenizer = try Tokenizer(path: options.model)
    let texts = try checkpoint.texts.map { try SearchText($0.path, tokenizer) }
    let all = try FitnessUnits(settings, texts: texts.map(\.tokens), tokenizer: tokenizer)
    let stopCheck = StopCheck(environment, budget: nil)
    let forward = ForwardPass(
      try Transformer(path: options.model), threads: 1,
      precision: Precision(rawValue: checkpoint.precision) ?? .exact
    ) { try stopCheck() }
    let space = checkpoint.space
    let candidates = [nil] + Self.forms.map { $0.factors(space.settings) }
    names = [Self.found, ComparisonOptions.noFactors] + Self.forms.map(\.rawValue)
    let policies =
      [try Self.policy(factors, geometry, settings.length)]
      + candidates.map { Self.policy($0, space, geometry) }
    let evaluator = Evaluator(
      SearchSpace(space.settings, mscale: 1), all, forward, geometry: geometry)
    comparison = try Comparison(policies, evaluator, jobs: options.threads)
  }

  private static func policy(
    _ set: FactorSet, _ geometry: RopeGeometry, _ length: Int
  ) throws -> RopePolicy {
    guard let long = set.long.uniform else {
      throw ModelError.unsupported("search", "the factors differ by layer")
    }
    let mscale = set.mscale.values(
      originalWindow: set.originalWindow ?? geometry.originalWindow, window: set.window ?? length)
    return RopePolicy(
      trying: long, startTokens: set.startTokens, mscale: mscale.long, pairMscales: nil,
      geometry: geometry)
  }

  /// A closed form on top of the model's own factors, with the search's attention scale; nil for the
  /// model as it is.
  private static func policy(
    _ factors: [Double]?, _ space: SearchSpace, _ geometry: RopeGeometry
  ) -> RopePolicy {
    RopePolicy(
      trying: factors.map { zip($0, space.base).map { $0 * $1 } } ?? space.base, startTokens: 0,
      mscale: factors == nil ? 1 : space.mscale, pairMscales: nil, geometry: geometry)
  }

  /// In words, whether the found set is better than every other one.
  public var verdict: String {
    let others = names.indices.dropFirst()
    let notWorse = others.filter { comparison.verdict(0, against: $0) != .better }
    guard !notWorse.isEmpty else {
      return "better than \(others.map { names[$0] }.joined(separator: ", "))"
    }
    let parts = notWorse.map { index in
      "\(comparison.verdict(0, against: index) == .tie ? "a tie with" : "worse than") \(names[index])"
    }
    return parts.joined(separator: ", ")
  }
}
