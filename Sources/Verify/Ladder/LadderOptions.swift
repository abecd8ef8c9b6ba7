import Formats
import Foundation
public import Numerics

/// Which models and types of the cache a ladder compares, on what, and when a rung counts as failed.
///
/// A new value has the defaults of `lrpatch ladder`.
public struct LadderOptions: Sendable {
  /// Paths of models of one vocabulary.
  ///
  /// The first is the one that all are compared with.
  public var models: [String]
  /// The types in which each model keeps keys and values.
  ///
  /// The first is that of the model that all are compared with, and is not quantised.
  public var caches = [CacheTypes(keys: .f16, values: .f16)]
  /// The runtime whose rules are followed; nil for llama.cpp with GGUF files and vLLM with folders,
  /// which use one table of factors for all inputs.
  public var runtime: RuntimeChoice?

  /// The lengths in tokens; nil for half the original window of the first model, its original window,
  /// and its doublings up to the window.
  public var lengths: [Int]?
  /// What is asked besides passkeys: tasks that need more than finding.
  public var tasks = [RULERTask.variableTracking]
  /// Depths at which passkeys are hidden.
  public var depths = 5
  /// Passkeys for each length and depth; nil for as many as in `VerifyOptions`.
  public var samples: Int?
  /// Prompts of each task at each length.
  public var prompts = 5
  /// Paths of texts; empty for a book that comes with the library.
  public var texts: [String] = []
  /// The most windows of the texts that are compared at each length; nil for as many as score
  /// `Perplexity.tokenBudget` tokens.
  public var windows: Int?
  /// The arithmetic of the forward pass.
  public var precision = Precision.exact
  /// The seed of the prompts.
  public var seed: UInt64 = 0

  /// Limits of each length; a rung fails at the first length at which it misses one.
  public var gates = LadderOptions.defaultGates.compactMap { try? Gate($0) }
  /// The share of the first rung's passkeys and answers that a rung must reach at each length.
  public var keep = LadderOptions.defaultKeep

  /// The time after which the run ends with the rungs that it has; nil for no limit.
  public var timeBudget: Duration?
  /// The number of threads.
  public var threads = ProcessInfo.processInfo.activeProcessorCount

  /// The limits that are taken unless others are given.
  public static let defaultGates = ["perplexity_ratio<=1.05", "kl<=0.1"]
  /// The share that is taken unless another is given.
  public static let defaultKeep = 0.9

  /// Options with the defaults of `lrpatch ladder`.
  public init(models: [String]) { self.models = models }

  /// The rungs, in the order in which they are measured.
  public var rungs: [LadderRung] {
    models.flatMap { model in caches.map { LadderRung(model: model, cache: $0) } }
  }

  /// The quantities that a gate may be about.
  var metrics: [Metric] {
    [.perplexityRatio, .divergence, .agreement, .passkey, .publishedPasskey]
      + tasks.map { .answers($0.rawValue) }
  }

  /// Checks the ranges of numbers, and that the options do not contradict each other.
  public func validate() throws(OptionError) {
    try OptionError.require(
      rungs.count > 1, "a ladder takes at least two models, or --cache with at least two types")
    let paths = models.map(FileSystem.canonical)
    if let index = paths.indices.first(where: { paths[..<$0].contains(paths[$0]) }) {
      throw OptionError("the model \(models[index]) is given twice")
    }
    try OptionError.require(
      caches.uniqued.count == caches.count, "--cache names a type twice")
    if let first = caches.first {
      try OptionError.require(
        first.isUnquantised,
        "--cache: the first type is that of the model that all are compared with; expected f16, bf16 or f32 before others"
      )
    }
    if let task = tasks.first(where: \.needsFile) {
      throw OptionError("--task \(task.rawValue) needs a file, which ladder does not take")
    }
    try OptionError.require((0...1).contains(keep), "--keep takes a share from 0 to 1")
    for gate in gates where !metrics.contains(gate.metric) {
      throw OptionError(
        "the gate '\(gate.text)' is about nothing that a ladder measures; expected \(metrics.map(\.rawValue).alternatives)"
      )
    }
    try verification(of: rungs[0], runtime: runtime ?? .paper, lengths: lengths).validate()
  }

  /// What the numbers of all rungs depend on, as JSON.
  /// - Parameter lengths: the lengths that are measured.
  func settings(lengths: [Int]) -> JSONValue {
    .object([
      "baseline": .string(models[0]), "baseline_cache": .string(caches[0].description),
      "runtime": runtime.map { .string($0.name) } ?? .null,
      "lengths": .array(lengths.map { .number($0) }),
      "tasks": .array(tasks.map { .string($0.rawValue) }), "depths": .number(depths),
      "samples": samples.map { .number($0) } ?? .null, "prompts": .number(prompts),
      "texts": .array(texts.map { .string($0) }), "windows": windows.map { .number($0) } ?? .null,
      "precision": .string(precision.rawValue), "seed": .number(String(seed)),
    ])
  }

  /// What is measured of a rung.
  func verification(
    of rung: LadderRung, runtime: RuntimeChoice, lengths: [Int]?
  ) -> VerifyOptions {
    var options = VerifyOptions(model: rung.model)
    options.runtimes = [runtime]
    options.baseline = .everywhere(models[0])
    options.cache = rung.cache
    options.baselineCache = caches[0]
    options.precision = precision
    options.tasks = [.passkey] + tasks.map { .ruler($0) }
    options.lengths = lengths
    options.depths = depths
    options.samples = samples
    options.prompts = prompts
    options.texts = texts
    options.windows = windows
    options.seed = seed
    options.gates = []
    options.timeBudget = timeBudget
    options.threads = threads
    return options
  }
}
