public import Formats
public import Patch

/// What a run of `verify` found, as it is saved: `lrpatch.verify/1` (specs/verify.schema.json).
public struct ResultDocument: Sendable {
  public static let schema = "lrpatch.verify/1"

  /// What was run, on what, with what.
  public struct Provenance: Equatable, Sendable {
    /// One command that measured a part of the result.
    public struct Run: Equatable, Sendable {
      public var command: [String]
      public var system: String
      public var processor: String

      public init(command: [String], system: String, processor: String) {
        self.command = command
        self.system = system
        self.processor = processor
      }
    }

    /// The model's; empty where they were not read.
    public var files: [ModelManifest.File]
    /// Texts and factors that were given, under their paths.
    public var inputs: [ModelManifest.File]
    public var runs: [Run]

    public init(files: [ModelManifest.File] = [], inputs: [ModelManifest.File] = [], runs: [Run] = []) {
      self.files = files
      self.inputs = inputs
      self.runs = runs
    }
  }

  /// What makes the numbers comparable with others, as JSON.
  public var method: JSONValue
  public var version: String
  public var model: String
  public var isComplete: Bool
  /// `2/8` where it is a part of a grid.
  public var shard: String?
  /// Runtimes that were not followed, with the reason.
  public var unfollowed: [(runtime: String, reason: String)]
  /// The gates that a saved result was judged by.
  public var savedGates: [String] = []
  /// What `lrpatch inspect --json` says of the model as it was run; null where that is not known.
  public var inspection = JSONValue.null
  public var provenance = Provenance()
  public var measured: Measurements
  public var verdicts: [Verdict]

  public init(
    method: JSONValue, version: String, model: String, isComplete: Bool, shard: String?,
    unfollowed: [(runtime: String, reason: String)], measured: Measurements, verdicts: [Verdict]
  ) {
    self.method = method
    self.version = version
    self.model = model
    self.isComplete = isComplete
    self.shard = shard
    self.unfollowed = unfollowed
    self.measured = measured
    self.verdicts = verdicts
  }

  // MARK: JSON

  public var json: JSONValue {
    .object([
      "schema": .string(Self.schema), "version": .string(version), "model": .string(model),
      "original_window": .number(measured.originalWindow),
      "method": method, "complete": .bool(isComplete),
      "shard": shard.map { .string($0) } ?? .null,
      "unfollowed": .array(
        unfollowed.map { .object(["runtime": .string($0.runtime), "reason": .string($0.reason)]) }),
      "passkeys": .array(measured.passkeys.map(\.json)),
      "answers": .array(measured.answers.map(\.json)),
      "perplexities": .array(measured.perplexities.map { $0.json(method: method["perplexity"]?.text ?? "") }),
      "retention": .array(measured.retentions.map(\.json)),
      "crossings": .array(measured.crossings.map(\.json)),
      "effective_lengths": .array(shard == nil ? measured.runtimes.compactMap(effectiveLength) : []),
      "skipped": .array(
        measured.skipped.map {
          .object(["task": .string($0.task), "length": .number($0.length), "reason": .string($0.reason)])
        }),
      "missing": .array(missing),
      "gates": .array(verdicts.map(\.json)),
      "inspection": inspection,
      "provenance": provenance.json,
    ])
  }

  private var missing: [JSONValue] {
    measured.missing.sorted {
      ($0.key.metric.rawValue, $0.key.runtime, $0.key.length) < ($1.key.metric.rawValue, $1.key.runtime, $1.key.length)
    }
    .map { place, count in
      .object([
        "metric": .string(place.metric.rawValue), "runtime": .string(place.runtime), "length": .number(place.length),
        "results": .number(count),
      ])
    }
  }

  private func effectiveLength(_ runtime: String) -> JSONValue? {
    measured.effectiveLength(runtime).map { effective in
      .object([
        "runtime": .string(runtime), "length": effective.length.map { .number($0) } ?? .null,
        "threshold": .number(effective.threshold), "tasks": .array(effective.tasks.map { .string($0.rawValue) }),
        "averages": .array(
          effective.averages.map { .object(["length": .number($0.length), "score": .number($0.score)]) }),
      ])
    }
  }

  /// - Throws: `VerifyError` naming the member that is missing or wrong.
  public init(json: JSONValue, subject: String) throws {
    guard json["schema"]?.text == Self.schema else {
      throw VerifyError(
        subject, "no saved result: schema \(json["schema"]?.summary ?? "missing"), expected '\(Self.schema)'")
    }
    let reader = ResultReader(json, subject)
    method = try reader.value("method").visible
    version = try reader.name("version")
    model = try reader.name("model")
    isComplete = try reader.flag("complete")
    shard = json["shard"]?.text
    unfollowed = try reader.list("unfollowed") { (try $0.name("runtime"), try $0.name("reason")) }
    measured = Measurements(originalWindow: try reader.count("original_window"))
    measured.passkeys = try reader.list("passkeys") { try Passkey.Result($0) }
    measured.answers = try reader.list("answers") { try AnswerResult($0) }
    measured.perplexities = try reader.list("perplexities") { try Measurements.NamedPerplexity($0) }
    measured.retentions = try reader.list("retention") { try Retention.Result($0) }
    measured.crossings = try reader.list("crossings") { try Crossing.Result($0) }
    measured.skipped = try reader.list("skipped") {
      .init(task: try $0.name("task"), length: try $0.count("length"), reason: try $0.name("reason"))
    }
    for (place, count) in try reader.list("missing", { (try Measurements.Place($0), try $0.count("results")) }) {
      measured.missing[place] = count
    }
    verdicts = []
    savedGates = try reader.list("gates") { try $0.text("gate") }
    inspection = json["inspection"] ?? .null
    if let saved = json["provenance"], !saved.isNull {
      provenance = try Provenance(ResultReader(saved, "\(subject): provenance"))
    }
  }
}

/// Members of a saved result.
struct ResultReader {
  let json: JSONValue
  private let subject: String

  init(_ json: JSONValue, _ subject: String) {
    self.json = json
    self.subject = subject
  }

  func value(_ name: String) throws -> JSONValue { try json[name].orThrow(wrong(name, "a value")) }
  func text(_ name: String) throws -> String { try json[name]?.text.orThrow(wrong(name, "a text")) ?? "" }
  /// A text that is shown, with control characters made visible.
  func name(_ name: String) throws -> String { try text(name).sanitized }
  func flag(_ name: String) throws -> Bool { try (json[name]?.flag).orThrow(wrong(name, "true or false")) }
  /// No measured number comes near the limits; what does would be infinite in a percentage or a plot.
  func number(_ name: String) throws -> Double {
    let number = try (json[name]?.double).orThrow(wrong(name, "a number"))
    guard number.magnitude <= 1e100 else { throw wrong(name, "a number of at most 1e100") }
    return number
  }
  func length() throws -> Int {
    let length = try count("length")
    guard length > 0 else { throw wrong("length", "a whole number from 1 on") }
    return length
  }
  func count(_ name: String) throws -> Int {
    let number = try (json[name]?.integer).orThrow(wrong(name, "a whole number"))
    guard (0...1 << 50).contains(number) else { throw wrong(name, "a whole number from 0 on") }
    return number
  }
  /// Of tasks without depths 0.
  func depth() throws -> Double {
    guard let depth = json["depth"], !depth.isNull else { return 0 }
    guard let value = depth.double, (0...1).contains(value) else { throw wrong("depth", "a number from 0 to 1") }
    return value
  }
  func list<T>(_ name: String, _ make: (ResultReader) throws -> T) throws -> [T] {
    try (json[name]?.elements).orThrow(wrong(name, "a list")).enumerated().map { index, element in
      try make(ResultReader(element, "\(subject): \(name)[\(index)]"))
    }
  }

  func texts(_ name: String) throws -> [String] {
    try (json[name]?.elements).orThrow(wrong(name, "a list of texts")).map {
      try $0.text.orThrow(wrong(name, "a list of texts"))
    }
  }

  func wrong(_ name: String, _ expected: String) -> VerifyError {
    VerifyError(subject, "no saved result: '\(name)' is \(json[name]?.summary ?? "missing"), expected \(expected)")
  }
}

extension Optional {
  fileprivate func orThrow(_ error: @autoclosure () -> VerifyError) throws -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}

extension JSONValue {
  /// With every text's control characters made visible: it goes to terminals and into renderings.
  fileprivate var visible: JSONValue {
    switch self {
    case .string(let text): .string(text.visible)
    case .array(let elements): .array(elements.map(\.visible))
    case .object(let members): .object(members.map { JSONMember($0.name.visible, $0.value.visible) })
    default: self
    }
  }
}

// MARK: Provenance

extension ResultDocument.Provenance {
  fileprivate var json: JSONValue {
    .object([
      "files": .array(files.map(\.json)), "inputs": .array(inputs.map(\.json)),
      "runs": .array(
        runs.map {
          .object([
            "command": .array($0.command.map { .string($0) }), "system": .string($0.system),
            "processor": .string($0.processor),
          ])
        }),
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    files = try reader.list("files") { try ModelManifest.File($0) }
    inputs = try reader.list("inputs") { try ModelManifest.File($0) }
    runs = try reader.list("runs") {
      Run(
        command: try $0.texts("command").map(\.sanitized), system: try $0.name("system"),
        processor: try $0.name("processor"))
    }
  }
}

extension ModelManifest.File {
  fileprivate var json: JSONValue {
    .object(["name": .string(name), "size": .number(size), "sha256": .string(sha256)])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(name: try reader.name("name"), size: try reader.count("size"), sha256: try reader.name("sha256"))
  }
}

// MARK: One result each

extension Measurements.Place {
  fileprivate init(_ reader: ResultReader) throws {
    guard let metric = Metric(rawValue: try reader.text("metric")) else { throw reader.wrong("metric", "a metric") }
    self.init(metric: metric, runtime: try reader.name("runtime"), length: try reader.length())
  }
}

extension Passkey.Result {
  var json: JSONValue {
    .object([
      "runtime": .string(runtime), "length": .number(cell.length), "depth": .number(cell.depth),
      "sample": .number(cell.sample), "key": .number(key), "exact": .bool(isExact),
      "published": isPublished.map { .bool($0) } ?? .null, "margin": .number(margin),
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      runtime: try reader.name("runtime"), cell: try Passkey.Cell(reader), key: try reader.count("key"),
      isExact: try reader.flag("exact"), isPublished: reader.json["published"]?.flag,
      margin: try reader.number("margin"))
  }
}

extension Passkey.Cell {
  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      length: try reader.length(), depth: try reader.depth(), sample: try reader.count("sample"))
  }
}

extension AnswerResult {
  var json: JSONValue {
    .object([
      "task": .string(task), "runtime": .string(runtime), "length": .number(cell.length),
      "depth": task == "niah" ? .number(cell.depth) : .null, "sample": .number(cell.sample), "score": .number(score),
      "references": .array(references.map { .string($0) }), "output": .string(output),
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    guard Metric(rawValue: try reader.name("task")) != nil else { throw reader.wrong("task", "a task") }
    self.init(
      task: try reader.name("task"), runtime: try reader.name("runtime"), cell: try Passkey.Cell(reader),
      references: try reader.texts("references"), output: try reader.text("output"))
  }
}

extension Measurements.NamedPerplexity {
  func json(method: String) -> JSONValue {
    .object([
      "text": .string(text), "runtime": .string(result.runtime), "length": .number(result.length),
      "method": .string(method), "perplexity": .number(result.value), "standard_error": .number(result.standardError),
      "tokens": .number(result.tokens), "windows": .number(result.windows),
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      text: try reader.name("text"),
      result: Perplexity.Result(
        runtime: try reader.name("runtime"), length: try reader.length(), value: try reader.number("perplexity"),
        standardError: try reader.number("standard_error"), tokens: try reader.count("tokens"),
        windows: try reader.count("windows")))
  }
}

extension Retention.Result {
  var json: JSONValue {
    .object([
      "runtime": .string(runtime), "length": .number(length), "perplexity": .number(perplexity),
      "baseline_perplexity": .number(baselinePerplexity), "perplexity_ratio": .number(ratio),
      "kl": .number(divergence), "top1": .number(agreement), "tokens": .number(tokens),
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      runtime: try reader.name("runtime"), length: try reader.length(),
      perplexity: try reader.number("perplexity"),
      baselinePerplexity: try reader.number("baseline_perplexity"), divergence: try reader.number("kl"),
      agreement: try reader.number("top1"), tokens: try reader.count("tokens"))
  }
}

extension Crossing.Result {
  var json: JSONValue {
    .object([
      "runtime": .string(runtime), "length": .number(length), "perplexity": .number(perplexity),
      "tokens": .number(tokens),
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      runtime: try reader.name("runtime"), length: try reader.length(),
      perplexity: try reader.number("perplexity"),
      tokens: try reader.count("tokens"))
  }
}

extension Verdict {
  public var json: JSONValue {
    .object([
      "gate": .string(gate.text), "passed": .bool(passes), "worst": worst.map { .number($0) } ?? .null,
      "place": .string(place),
    ])
  }
}
