import Formats
import Foundation
public import Inference
public import Numerics

/// What a verification measures, of which model, and how.
///
/// A new value has the defaults of `lrpatch verify`.
public struct VerifyOptions: Sendable {
  /// What the model is compared with.
  public enum Baseline: Equatable, Sendable {
    /// The model itself, as it was before its patch.
    case beforePatch
    /// Another model of the same vocabulary, at a path.
    case model(String)
    /// Another model of the same vocabulary, at a path, which is compared with at every length and
    /// position, and asked for the same passkeys.
    case everywhere(String)

    /// The path of the other model; nil for the model itself.
    public var path: String? {
      switch self {
      case .beforePatch: nil
      case .model(let path), .everywhere(let path): path
      }
    }
  }

  // MARK: The model

  /// The path of a model folder or a GGUF file.
  public var model: String
  /// The runtimes whose rules are followed; empty for all that run the model.
  ///
  /// Each one that is named must run it.
  public var runtimes: [RuntimeChoice] = []
  /// The path of factors to run the model with, in any accepted form; nil for the model's own.
  public var factors: String?
  /// How Self-Extend groups far keys if it is measured besides the runtimes; nil if it is not.
  public var selfExtend: SelfExtend?
  /// Whether dynamic NTK scaling is measured besides the runtimes.
  public var usesDynamicNTK = false
  /// What the model is compared with; nil for no comparison.
  public var baseline: Baseline?
  /// Whether sequences begin with the beginning token.
  public var bos = Tokenizer.Beginning.auto
  /// The arithmetic of the forward pass.
  public var precision = Precision.exact
  /// The types in which keys and values are kept.
  public var cache = CacheTypes()
  /// The types in which the baseline keeps keys and values; nil for those of the model, or for f32 if
  /// the model is compared with itself.
  public var baselineCache: CacheTypes?
  /// How prompts are given to the runtimes.
  public var prefill = Prefill.own

  // MARK: The measurements

  /// What is measured; empty for passkeys, and the perplexity of given texts.
  ///
  /// Retention is measured whenever there is a baseline.
  public var tasks: [TaskGrid.Task] = []
  /// The lengths in tokens; nil for half the original window, the original window, and its
  /// doublings up to the window.
  public var lengths: [Int]?
  /// Depths at which passkeys, needles and passages with answers stand, evenly spread.
  public var depths = 11
  /// Prompts for each length and depth; nil for three at lengths of up to
  /// `TaskGrid.smallLength` tokens, and one at others.
  ///
  /// Of benchmarks the number of first questions, of MMLU's of each subject; nil for all.
  public var samples: Int?
  /// Prompts of each of RULER's tasks at each length; nil for as many as `samples`.
  public var prompts: Int?
  /// The wording of the passkey prompts.
  public var passkeyPrompt = Passkey.Style.longrope
  /// Paths of texts whose perplexity is measured and in which needles are hidden; empty for a book
  /// that comes with the library.
  public var texts: [String] = []
  /// The files of benchmarks, and of other tasks that need one, by their names; each must be among the
  /// tasks.
  public var benchmarks: [String: BenchmarkSource] = [:]
  /// How perplexity is measured.
  public var method = Perplexity.Method.truncate
  /// Tokens by which a window moves, for the methods `sliding` and `hfStride`.
  public var stride = 256
  /// The most windows of each text; nil for as many as score `Perplexity.tokenBudget` tokens.
  public var windows: Int?
  /// The part of the grid that is measured, which is never judged; nil for the whole.
  public var shard: TaskGrid.Shard?
  /// A random part of the grid, to check an older result; nil for the whole.
  package var sample: GridSample?
  /// The seed of the prompts.
  public var seed: UInt64 = 0
  /// The gates; nil for the default gates of the tasks, empty for none.
  public var gates: [Gate]?

  // MARK: The run

  /// The time after which the run ends with what it has, counted from the opening of the model; nil
  /// for no limit.
  public var timeBudget: Duration?
  /// The number of threads.
  public var threads = ProcessInfo.processInfo.activeProcessorCount

  /// Options with the defaults of `lrpatch verify`.
  public init(model: String) { self.model = model }

  /// Whether the baseline is the model itself.
  var isComparedWithItself: Bool {
    guard let path = baseline?.path, factors == nil else { return false }
    return FileSystem.canonical(path) == FileSystem.canonical(model)
  }

  /// The types in which the baseline keeps keys and values if they are not those of the model.
  ///
  /// A model that is compared with itself shows what its cache loses.
  var otherBaselineCache: CacheTypes? {
    baselineCache ?? (isComparedWithItself && cache != CacheTypes() ? CacheTypes() : nil)
  }

  /// Ways to extend the model's window without factors, which are measured besides the runtimes.
  var extensions: [ExtensionMethod] {
    [selfExtend.map { .selfExtend($0) }, usesDynamicNTK ? .dynamicNTK : nil].compactMap(\.self)
  }

  /// Checks the ranges of numbers, and that the options do not contradict each other.
  public func validate() throws(OptionError) {
    try OptionError.require(
      !tasks.contains(.retention) || baseline != nil, "the task retention needs --baseline")
    let most = 1_000_000
    let isOnlyBenchmarks = tasks.allSatisfy { if case .benchmark = $0 { true } else { false } }
    let mostSamples = isOnlyBenchmarks && !tasks.isEmpty ? most : 1000
    for (name, value, limit) in [
      ("depths", depths, 1000), ("samples", samples ?? 1, mostSamples),
      ("prompts", prompts ?? 1, 1000),
      ("windows", windows ?? 1, most),
      ("stride", stride, most), ("threads", threads, 1024),
    ] {
      try OptionError.require(
        (1...limit).contains(value), "--\(name) takes a number from 1 to \(limit)")
    }
    if case .chunks(let size) = prefill {
      try OptionError.require(size >= 1, "--prefill-chunk takes a number of tokens from 1 on")
    }
    try OptionError.require(
      benchmarks.values.allSatisfy { (0...100).contains($0.shots ?? 0) },
      "--few-shot takes a number of examples from 0 to 100")
    let areLengths = lengths?.allSatisfy { (1...1 << 40).contains($0) } ?? true
    try OptionError.require(areLengths, "--lengths takes numbers of tokens from 1 to 2^40")
    try OptionError.require(shard == nil || (gates ?? []).isEmpty, "a shard is never judged")
  }
}
