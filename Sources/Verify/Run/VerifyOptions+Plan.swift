import Formats
import Inference
import Models
import Numerics

/// What was asked of a model, as a member of a saved result, from which the measurement can be
/// repeated.
extension VerifyOptions {
  func plan(of grid: TaskGrid, runtimes: [String]) -> JSONValue {
    .object([
      "tasks": .array(grid.tasks.map { .string($0.name) }),
      "lengths": .array(grid.lengths.map { .number($0) }), "depths": .number(depths),
      "samples": samples.map { .number($0) } ?? .null,
      "prompts": prompts.map { .number($0) } ?? .null,
      "runtimes": .array(runtimes.map { .string($0) }),
      "texts": .array(texts.map { .string($0) }),
      "data": .array(benchmarks.sorted { $0.key < $1.key }.map { Self.json($0.key, $0.value) }),
    ])
  }

  private static func json(_ task: String, _ source: BenchmarkSource) -> JSONValue {
    .object([
      "task": .string(task), "data": .string(source.data),
      "examples": source.examples.map { .string($0) } ?? .null,
      "few_shot": source.shots.map { .number($0) } ?? .null,
    ])
  }

  /// The options by which a saved result was measured, without its gates.
  /// - Parameters:
  ///   - result: a result with a plan.
  ///   - model: the path of the model.
  ///   - subject: the result's file, for errors.
  ///   - path: where a text or a file of questions is now, by the path in the plan.
  /// - Throws: `ModelError` for a result without a plan, and for a name that is not known.
  package init(
    repeating result: ResultDocument, of model: String, subject: String,
    path: (String) -> String = { $0 }
  ) throws {
    guard result.plan.members != nil else {
      throw ModelError.unsupported(
        subject, "does not say what was asked; measure it again with this version")
    }
    self.init(model: model)
    try readPlan(ResultReader(result.plan, "\(subject): plan"), path)
    try readMethod(ResultReader(result.method, "\(subject): method"))
    shard = result.shard.flatMap { TaskGrid.Shard($0) }
    gates = []
  }

  private mutating func readPlan(_ reader: ResultReader, _ path: (String) -> String) throws {
    tasks = try reader.texts("tasks").map { name in
      try TaskGrid.Task(name: name).orThrow(reader.wrong("tasks", "names of tasks"))
    }
    lengths = try reader.counts("lengths")
    depths = try reader.count("depths")
    samples = try reader.optionalCount("samples")
    prompts = try reader.optionalCount("prompts")
    runtimes = try reader.texts("runtimes").map { name in
      try RuntimeChoice(name: name).orThrow(reader.wrong("runtimes", "names of runtimes"))
    }
    texts = try reader.texts("texts").map(path)
    let sources = try reader.list("data") { reader in
      let source = BenchmarkSource(
        data: path(try reader.text("data")),
        examples: try reader.optionalText("examples").map(path),
        shots: try reader.optionalCount("few_shot"))
      return (try reader.text("task"), source)
    }
    benchmarks = Dictionary(sources) { first, _ in first }
  }

  private mutating func readMethod(_ reader: ResultReader) throws {
    precision = try reader.choice("precision")
    cache = CacheTypes(
      keys: try reader.choice("cache"), values: try reader.choice("cache_values"))
    passkeyPrompt = try reader.choice("passkey_prompt")
    method = try reader.choice("perplexity")
    bos = try reader.choice("bos")
    stride = try reader.count("stride")
    windows = try reader.optionalCount("windows")
    guard case .number(let text)? = reader.json["seed"], let seed = UInt64(text) else {
      throw reader.wrong("seed", "a whole number")
    }
    self.seed = seed
    switch reader.json["prefill_chunk"] ?? .null {
    case .null: prefill = .own
    case .string("none"): prefill = .whole
    default: prefill = .chunks(try reader.count("prefill_chunk"))
    }
    if let baseline = try reader.optionalText("baseline") {
      let isEverywhere = reader.json["compares_everywhere"]?.flag == true
      self.baseline =
        baseline == Self.beforePatchName
        ? .beforePatch : isEverywhere ? .everywhere(baseline) : .model(baseline)
    }
    factors = try reader.optionalText("factors")
    // Results of older versions have neither.
    usesDynamicNTK = reader.json["dynamic_ntk"]?.flag == true
    guard reader.json["self_extend"]?.isNull == false else { return }
    let sizes = try reader.inside("self_extend")
    selfExtend = try SelfExtend(group: sizes.count("group"), window: sizes.count("window")).orThrow(
      sizes.wrong("window", "a multiple of 'group'"))
  }

  /// How a result names the model before its patch as its baseline.
  static let beforePatchName = "before the patch"
}

extension ResultReader {
  /// A whole number that may be null.
  fileprivate func optionalCount(_ name: String) throws -> Int? {
    guard let value = json[name], !value.isNull else { return nil }
    return try count(name)
  }

  fileprivate func counts(_ name: String) throws -> [Int] {
    try (json[name]?.elements).orThrow(wrong(name, "a list of whole numbers")).map {
      try $0.integer.orThrow(wrong(name, "a list of whole numbers"))
    }
  }

  fileprivate func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String
  ) throws -> Value {
    try Value(rawValue: try text(name)).orThrow(wrong(name, Value.alternatives))
  }
}
