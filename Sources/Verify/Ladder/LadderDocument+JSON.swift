public import Formats
import Models
import Numerics
import Patch

extension LadderDocument {
  /// The whole document.
  public var json: JSONValue {
    .object([
      "schema": .string(Self.schema), "version": .string(lrpatchVersion),
      "complete": .bool(isComplete), "gates": .array(gates.map { .string($0.text) }),
      "keep": .number(keep), "settings": settings,
      "planned": .array(planned.map { .object($0.members) }),
      "summary": .array(rungs.map(summary)), "rungs": .array(rungs.map(\.json)),
    ])
  }

  private func summary(_ rung: ResultDocument) -> JSONValue {
    let places = places(of: rung)
    let members: [JSONMember] = [
      JSONMember("bytes", .number(rung.provenance.files.reduce(0) { $0 + $1.size })),
      JSONMember(
        "fails_at", places.first { !$0.failures.isEmpty }.map { .number($0.length) } ?? .null),
      JSONMember("lengths", .array(places.map(\.json))),
    ]
    return .object(rung.rung.members + members)
  }

  /// Reads a saved ladder.
  /// - Throws: `FileError`; `FormatError`; `ModelError` for JSON that is not a saved ladder.
  public init(path: String) throws {
    let bytes = try FileSystem.contents(of: path, limit: 1 << 30)
    do { try self.init(json: JSONDocument(parsing: bytes).value, subject: path) } catch let error
      as FormatError
    { throw error.inFile(path) }
  }

  /// Reads a saved ladder; what is summed up is computed again.
  /// - Throws: `ModelError` that names the member that is missing or wrong.
  public init(json: JSONValue, subject: String) throws {
    guard json["schema"]?.text == Self.schema else {
      let found = json["schema"]?.summary ?? "missing"
      throw ModelError.unsupported(
        subject, "not a saved ladder: schema \(found), expected '\(Self.schema)'")
    }
    let reader = ResultReader(json, subject)
    self.init(
      planned: try reader.list("planned") { try LadderRung($0) },
      gates: try reader.texts("gates").map { text in
        do { return try Gate(text) } catch {
          throw ModelError.unsupported(subject, "its gate '\(text.sanitized)' cannot be read")
        }
      },
      keep: try reader.number("keep"), settings: try reader.inside("settings").json)
    guard (0...1).contains(keep) else { throw reader.wrong("keep", "a share from 0 to 1") }
    guard Set(planned).count == planned.count else {
      throw reader.wrong("planned", "rungs that differ")
    }
    let saved = try reader.list("rungs") { try ResultDocument(json: $0.json, subject: subject) }
    for rung in saved {
      guard planned.contains(rung.rung) else {
        throw ModelError.unsupported(subject, "\(rung.rung.model) is not among its planned rungs")
      }
      try add(rung, from: subject)
    }
  }
}

extension LadderRung {
  fileprivate var members: [JSONMember] {
    [
      JSONMember("model", .string(model)), JSONMember("cache", .string(cache.keys.rawValue)),
      JSONMember("cache_values", .string(cache.values.rawValue)),
    ]
  }

  fileprivate init(_ reader: ResultReader) throws {
    func type(_ name: String) throws -> CacheType {
      guard let type = CacheType(rawValue: try reader.text(name)) else {
        throw reader.wrong(name, CacheType.alternatives)
      }
      return type
    }
    self.init(
      model: try reader.name("model"),
      cache: CacheTypes(keys: try type("cache"), values: try type("cache_values")))
  }
}

extension LadderPlace {
  fileprivate var json: JSONValue {
    .object([
      "length": .number(length), "perplexity": Self.json(retention?.perplexity),
      "perplexity_error": Self.json(retention?.errors?.perplexity),
      "perplexity_ratio": Self.json(retention?.ratio),
      "perplexity_ratio_error": Self.json(retention?.errors?.ratio),
      "kl": Self.json(retention?.divergence), "kl_error": Self.json(retention?.errors?.divergence),
      "flips": Self.json(retention.map { 1 - $0.agreement }),
      "passkeys_found": passkeys.map { .number($0.successes) } ?? .null,
      "passkeys_tried": passkeys.map { .number($0.trials) } ?? .null,
      "passkeys_lost": .number(lostPasskeys),
      "scores": .array(
        scores.map {
          .object([
            "task": .string($0.task), "score": .number($0.share), "prompts": .number($0.prompts),
          ])
        }),
      "failures": .array(
        failures.map {
          .object([
            "metric": .string($0.metric.rawValue), "value": Self.json($0.value),
            "limit": .number($0.limit),
          ])
        }),
    ])
  }

  private static func json(_ number: Double?) -> JSONValue { number.map { .number($0) } ?? .null }
}
