import Formats
import Inference
import Models
import Patch

/// The runtimes whose rules a verification follows, and what they read.
struct FollowedRuntimes: Sendable {
  /// The model as it is run, with its own factors or the given ones.
  var inspection: Inspection
  var policies: [RopePolicy]
  var unfollowed: [UnfollowedRuntime]

  /// - Throws: `ModelError` if a runtime that is named does not run the model, or if none does;
  ///   what reading the model and the factors throws.
  init(_ options: VerifyOptions, _ session: borrowing ModelSession) throws {
    let set = try options.factors.map { try FactorSource(path: $0).set }
    if let set, set.isBeyondRuntimes {
      self = try Self(paper: set, options, session)
      return
    }
    if let set {
      inspection = try Inspection(session, overlaying: set)
    } else {
      inspection = try Inspection(session)
    }
    if options.runtimes.isEmpty {
      let all = Self(all: inspection, prefill: options.prefill)
      (policies, unfollowed) = (all.policies, all.unfollowed)
    } else {
      let names = options.runtimes.map(\.name)
      let path = inspection.path
      let known = inspection.readings.map(\.name)
      if let absent = names.first(where: { !known.contains($0) }) {
        throw ModelError.unsupported(
          path,
          "cannot be followed as \(absent), which does not read such a model; expected \(known.alternatives)"
        )
      }
      policies = try inspection.readings.filter { names.contains($0.name) }.map { reading in
        do { return try RopePolicy(reading, prefill: options.prefill) } catch let error
          as ModelError
        {
          throw ModelError.unsupported(
            path, "\(reading.title) cannot be followed: \(error.message)")
        }
      }
      unfollowed = []
    }
    try requirePolicies(options.model)
  }

  /// - Throws: `ModelError` with every reason if no runtime can be followed.
  func requirePolicies(_ path: String) throws(ModelError) {
    guard policies.isEmpty else { return }
    let reasons = unfollowed.map { "\($0.runtime): \($0.reason)" }.joined(separator: "; ")
    throw .unsupported(
      path, "no runtime can be followed: \(reasons.isEmpty ? "none reads the model" : reasons)")
  }

  /// The policies of methods that extend the model without its factors.
  ///
  /// The weights are those of the model. A patched one is rebuilt from its record, because it may
  /// have had a scaling of its own.
  /// - Throws: `ModelError` for a patched model without a record, or for a scaling that a method
  ///   cannot be combined with.
  func extensions(
    _ options: VerifyOptions, _ session: borrowing ModelSession
  ) throws -> [RopePolicy] {
    if options.extensions.isEmpty { return [] }
    var own = try Inspection(session)
    if !own.mark.isEmpty { own = try Inspection(beforePatching: session) }
    let plain = own.withoutFactors
    return try options.extensions.map {
      try RopePolicy($0, of: plain, inspection.geometry, prefill: options.prefill)
    }
  }

  /// Follows the paper's rule with a set that no runtime can express.
  private init(
    paper set: FactorSet, _ options: VerifyOptions, _ session: borrowing ModelSession
  ) throws {
    let reason = "it cannot express start tokens, lists that differ by layer, or tables by length"
    if let other = options.runtimes.first(where: { $0 != .paper }) {
      throw ModelError.unsupported(
        options.factors ?? "", "cannot be followed as \(other.name): \(reason)")
    }
    var inspection = try Inspection(session)
    if let original = set.originalWindow { inspection.geometry.originalWindows = [original] }
    if let window = set.window { inspection.geometry.window = window }
    self.inspection = inspection
    policies = [try RopePolicy(paper: set, geometry: inspection.geometry)]
    unfollowed = inspection.readings.dropFirst().map {
      UnfollowedRuntime(runtime: $0.name, reason: reason)
    }
  }

  /// Every runtime that runs a model, and the others with the reason why they do not.
  init(all inspection: Inspection, prefill: Prefill = .own) {
    var policies: [RopePolicy] = []
    var unfollowed: [UnfollowedRuntime] = []
    for reading in inspection.readings {
      // What no file can change is shown by `inspect`, and not judged unless it is asked for.
      if reading.status == .ignored, reading.isInherent {
        unfollowed.append(
          UnfollowedRuntime(runtime: reading.name, reason: reading.notes.joined(separator: "; ")))
        continue
      }
      do {
        policies.append(try RopePolicy(reading, prefill: prefill))
      } catch {
        let reason = (error as? ModelError)?.message ?? "\(error)"
        unfollowed.append(UnfollowedRuntime(runtime: reading.name, reason: reason))
      }
    }
    self.inspection = inspection
    self.policies = policies
    self.unfollowed = unfollowed
  }
}

extension FactorSet {
  /// Whether it contains what no runtime can express.
  fileprivate var isBeyondRuntimes: Bool {
    startTokens > 0 || !buckets.isEmpty || long.uniform == nil
      || (short.map { $0.uniform == nil } ?? false)
  }
}
