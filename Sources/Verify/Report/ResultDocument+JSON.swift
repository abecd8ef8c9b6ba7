public import Formats
import Models
import Patch

extension ResultDocument {
  /// The whole document.
  public var json: JSONValue {
    let measures = method["perplexity"]?.text ?? ""
    return .object([
      "schema": .string(Self.schema), "version": .string(version), "model": .string(model),
      "original_window": .number(measured.originalWindow),
      "method": method, "plan": plan, "complete": .bool(isComplete),
      "shard": shard.map { .string($0) } ?? .null,
      "unfollowed": .array(
        unfollowed.map { .object(["runtime": .string($0.runtime), "reason": .string($0.reason)]) }),
      "passkeys": .array(measured.passkeys.map(\.json)),
      "baseline_passkeys": .array(measured.baselinePasskeys.map(\.json)),
      "answers": .array(measured.answers.map(\.json)),
      "perplexities": .array(measured.perplexities.map { $0.json(method: measures) }),
      "retention": .array(measured.retentions.map(\.json)),
      "crossings": .array(measured.crossings.map(\.json)),
      "benchmarks": .array(BenchmarkResult.json(measured.benchmarks)),
      "retained": .array(measured.runtimes.compactMap(retained)),
      "effective_lengths": .array(
        shard == nil ? measured.runtimes.compactMap(effectiveLength) : []),
      "skipped": .array(measured.skipped.map(\.json)),
      "missing": .array(missing),
      "gates": .array(verdicts.map(\.json)),
      "inspection": inspection,
      "provenance": provenance.json,
    ])
  }

  /// The whole document, with a result of the model before its patch as its member `before`.
  public func json(before: ResultDocument?) -> JSONValue {
    guard let before, case .object(let members) = json else { return json }
    return .object(members + [JSONMember("before", before.json)])
  }

  private var missing: [JSONValue] {
    let sorted = measured.missing.sorted {
      ($0.key.metric.rawValue, $0.key.runtime, $0.key.length)
        < ($1.key.metric.rawValue, $1.key.runtime, $1.key.length)
    }
    return sorted.map { place, count in
      .object([
        "metric": .string(place.metric.rawValue), "runtime": .string(place.runtime),
        "length": .number(place.length), "results": .number(count),
      ])
    }
  }

  /// What all benchmarks together retain.
  private func retained(_ runtime: String) -> JSONValue? {
    let place = Measurements.Place(
      metric: .retained, runtime: runtime, length: measured.originalWindow)
    return measured.retained(at: place).map { retained in
      .object([
        "runtime": .string(runtime), "share": .number(retained.share),
        "interval": .numbers([retained.interval.lowerBound, retained.interval.upperBound]),
      ])
    }
  }

  private func effectiveLength(_ runtime: String) -> JSONValue? {
    measured.effectiveLength(runtime).map { effective in
      .object([
        "runtime": .string(runtime), "length": effective.length.map { .number($0) } ?? .null,
        "threshold": .number(effective.threshold),
        "tasks": .array(effective.tasks.map { .string($0.rawValue) }),
        "averages": .array(
          effective.averages.map {
            .object(["length": .number($0.length), "score": .number($0.score)])
          }),
      ])
    }
  }

  /// Reads a saved document.
  ///
  /// Its verdicts are not read: `savedGates` says which gates to judge again.
  /// - Throws: `ModelError` that names the member that is missing or wrong.
  public init(json: JSONValue, subject: String) throws {
    guard json["schema"]?.text == Self.schema else {
      let found = json["schema"]?.summary ?? "missing"
      throw ModelError.unsupported(
        subject, "not a saved result: schema \(found), expected '\(Self.schema)'")
    }
    let reader = ResultReader(json, subject)
    method = try reader.value("method").visible
    plan = (json["plan"] ?? .null).visible
    version = try reader.name("version")
    model = try reader.name("model")
    isComplete = try reader.flag("complete")
    shard = json["shard"]?.text
    unfollowed = try reader.list("unfollowed") {
      UnfollowedRuntime(runtime: try $0.name("runtime"), reason: try $0.name("reason"))
    }
    measured = try Measurements(reader)
    verdicts = []
    savedGates = try reader.list("gates") { try $0.text("gate") }
    inspection = json["inspection"] ?? .null
    if let saved = json["provenance"], !saved.isNull {
      provenance = try Provenance(ResultReader(saved, "\(subject): provenance"))
    }
  }
}

extension JSONValue {
  /// The value with the control characters of every text made visible, since it goes to terminals
  /// and into reports.
  fileprivate var visible: JSONValue {
    switch self {
    case .string(let text): .string(text.visible)
    case .array(let elements): .array(elements.map(\.visible))
    case .object(let members):
      .object(members.map { JSONMember($0.name.visible, $0.value.visible) })
    default: self
    }
  }
}
