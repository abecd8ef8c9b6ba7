public import Formats
import Models
import Numerics
import Patch

/// A ladder as it is saved: `lrpatch.ladder/1` (specs/ladder.schema.json).
///
/// Each rung is a whole result of a verification that compares it with the first rung's model.
public struct LadderDocument: Sendable {
  /// The name and version of the format.
  public static let schema = DocumentSchema.ladder.rawValue

  /// The rungs that were measured, in the order in which they were planned.
  public private(set) var rungs: [ResultDocument] = []
  /// All rungs of the ladder.
  public var planned: [LadderRung]
  /// Limits of each length.
  public var gates: [Gate]
  /// The share of the first rung's passkeys and answers that a rung must reach.
  public var keep: Double

  /// What the numbers of all rungs depend on, as JSON.
  public var settings: JSONValue

  /// Creates a ladder without measured rungs.
  public init(planned: [LadderRung], gates: [Gate], keep: Double, settings: JSONValue) {
    self.planned = planned
    self.gates = gates
    self.keep = keep
    self.settings = settings
  }

  /// Whether every rung was measured.
  public var isComplete: Bool { missing.isEmpty }

  /// The rungs that were not measured.
  public var missing: [LadderRung] {
    let known = Set(rungs.map(\.rung))
    return planned.filter { !known.contains($0) }
  }

  /// Takes over the rungs of a saved ladder that are planned here.
  /// - Parameters:
  ///   - files: the models' files as they are now, by the models' paths.
  ///   - name: the saved ladder's file.
  /// - Throws: `ModelError` if it was measured with other settings, or if a model has changed since.
  public mutating func keep(
    rungsOf saved: LadderDocument, _ files: [String: ResultDocument.Provenance], from name: String
  ) throws {
    for member in settings.members ?? [] {
      let other = saved.settings[member.name] ?? .null
      guard other != member.value else { continue }
      throw ModelError.unsupported(
        name,
        "was measured with \(member.name) \(other.summary), not \(member.value.summary); give the same options, or name a new path with -o"
      )
    }
    for rung in saved.rungs where planned.contains(rung.rung) {
      let now = files[rung.model]
      guard rung.provenance.files == now?.files, rung.provenance.inputs == now?.inputs else {
        throw ModelError.unsupported(
          name, "\(rung.model) or a text has changed since; name a new path with -o")
      }
      try add(rung, from: name)
    }
  }

  /// Adds a rung, in its place among the others.
  /// - Parameter name: where the rung comes from, for errors.
  /// - Throws: `ModelError` if it was measured in another way than those that are there.
  public mutating func add(_ rung: ResultDocument, from name: String) throws {
    if let first = rungs.first, let difference = first.difference(ofRung: rung) {
      throw ModelError.unsupported(
        name,
        "\(rung.rung.model) with a cache of \(rung.rung.cache) \(difference); measure it again")
    }
    let places = Dictionary(uniqueKeysWithValues: planned.enumerated().map { ($1, $0) })
    rungs = (rungs.filter { $0.rung != rung.rung } + [rung]).sorted {
      places[$0.rung, default: planned.count] < places[$1.rung, default: planned.count]
    }
  }
}

extension ResultDocument {
  /// The model and the types of its cache.
  package var rung: LadderRung {
    func type(_ name: String) -> CacheType {
      method[name]?.text.flatMap(CacheType.init(rawValue:)) ?? .f32
    }
    return LadderRung(
      model: model, cache: CacheTypes(keys: type("cache"), values: type("cache_values")))
  }

  /// How the measurement of another rung differs from that of this one, in words; nil if both can be
  /// compared.
  fileprivate func difference(ofRung other: ResultDocument) -> String? {
    let names = ResultDocument.conditions.filter { !$0.hasPrefix("cache") } + ["baseline_cache"]
    if let name = names.first(where: { (method[$0] ?? .null) != (other.method[$0] ?? .null) }) {
      return
        "was measured with \(name) \(other.method[name]?.summary ?? "unknown"), not \(method[name]?.summary ?? "unknown")"
    }
    if method["texts"] != other.method["texts"] { return "was measured on other texts" }
    if version != other.version {
      return "was measured by lrpatch \(other.version), not \(version)"
    }
    if measured.plan != other.measured.plan {
      return "was measured at other lengths, or on other prompts"
    }
    return nil
  }
}

extension Measurements {
  /// What was asked, without the answers.
  fileprivate var plan: Set<String> {
    Set(
      passkeys.map { "passkey \($0.cell.length) \($0.cell.depth) \($0.cell.sample) \($0.key)" }
        + answers.map { "\($0.task) \($0.cell.length) \($0.cell.sample) \($0.references)" }
        + retentions.map { "tokens \($0.length) \($0.tokens)" })
  }
}
