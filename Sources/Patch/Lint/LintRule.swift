/// A problem that can be detected in the files of a model.
///
/// specs/lint.md lists them all.
public struct LintRule: Equatable, Sendable {
  /// How serious a problem is.
  public enum Severity: String, Comparable, Sendable {
    /// A property of a runtime that users should know.
    case note
    /// Probably a mistake.
    case warning
    /// A runtime ignores, misreads or cannot load the model.
    case error

    /// Notes come before warnings, and warnings before errors.
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  /// The name, as `--allow` takes it.
  public var name: String
  /// How serious the problem is.
  public var severity: Severity
  /// What to do about it, as an imperative.
  public var remedy: String

  private init(_ name: String, _ severity: Severity, _ remedy: String) {
    self.name = name
    self.severity = severity
    self.remedy = remedy
  }

  private static let reapply =
    "run `lrpatch apply` with the model's own factors: it writes every key consistently"

  private static let atTheTop =
    "write the member at the top level of the config too, as `lrpatch apply` does"

  // MARK: Any runtime

  static let runtimeFails = LintRule("runtime-fails", .error, reapply)
  static let runtimeIgnores = LintRule("runtime-ignores-factors", .error, reapply)
  static let runtimeDiverges = LintRule("runtime-diverges", .error, reapply)
  static let factorsMissing = LintRule(
    "factors-missing", .error, "apply the factors, or set the type to default")
  static let factorCount = LintRule(
    "factor-count", .error, "apply factors that belong to this model")
  static let factorNotMonotone = LintRule(
    "factors-not-monotone", .note, "none: published sets have this too; check that it is intended")
  static let factorBelowOne = LintRule(
    "factor-below-one", .note, "none: published sets have this too; check that it is intended")
  static let windowNotExtended = LintRule(
    "window-not-extended", .warning, "raise max_position_embeddings, or correct the original window"
  )
  static let tableChoice = LintRule(
    "short-inputs-under-long-factors", .note,
    "serve short inputs from a second instance within the original window, or use one table for both"
  )
  static let mscaleOnShort = LintRule(
    "mscale-on-short-inputs", .note,
    "expect the logits of short inputs to differ slightly from those before the patch")
  static let crossing = LintRule(
    "cache-across-the-window", .note,
    "avoid generating across the original window if short and long factors differ")
  static let runtimeLacks = LintRule(
    "runtime-lacks-factors", .note,
    "serve the model with a runtime that `inspect` shows with its factors")
  static let chunkedPrefill = LintRule(
    "chunks-within-the-window", .warning,
    "start the runtime with chunks as long as the window, as `inspect` says")
  static let mscaleLiteral = LintRule(
    "mscale-not-derived", .warning, "use the derived mscale if all runtimes must agree")
  static let mscaleDiffers = LintRule(
    "mscale-differs-by-length", .error, "use one mscale for short and long inputs")

  package static let cannotRun = LintRule(
    "cannot-be-run", .error, "do what the message says, or use another version of the model")
  package static let noForwardPass = LintRule(
    "no-forward-pass", .note, "verify the model with the runtime that serves it")
  package static let tokenBeyond = LintRule(
    "token-beyond-vocabulary", .warning,
    "add rows with transformers' resize_token_embeddings, or remove the token")

  // MARK: Folders

  static let invalidConfig = LintRule("config-invalid", .error, "correct the file by hand")
  static let byteOrderMark = LintRule(
    "byte-order-mark", .error, "save the file as UTF-8 without a byte-order mark")
  static let legacyType = LintRule("rope-type-legacy", .error, reapply)
  static let typeNames = LintRule("rope-type-names", .error, reapply)
  static let windowNested = LintRule("original-window-not-nested", .error, reapply)
  static let windowTop = LintRule("original-window-not-top-level", .error, reapply)
  static let thetaLost = LintRule("rope-theta-lost", .error, atTheTop)
  static let partialLost = LintRule("partial-rotary-factor-lost", .error, atTheTop)
  static let objectsDiffer = LintRule("scaling-objects-differ", .error, reapply)
  static let onlyParameters = LintRule("rope-parameters-only", .error, reapply)
  static let factorRatio = LintRule("factor-is-not-the-ratio", .error, reapply)
  static let factorWhole = LintRule(
    "factor-without-fraction", .warning, "write it as 4.0: transformers 4 warns about 4")
  static let nearMiss = LintRule(
    "unknown-scaling-key", .warning,
    "correct the name of the key: runtimes ignore unknown keys silently")
  static let slidingWindow = LintRule(
    "sliding-window-limits-attention", .warning,
    "set sliding_window to null, or the types of the layers to full_attention, and in GGUF the key to the whole window, as `lrpatch apply` does"
  )
  static let tokenizerLimit = LintRule(
    "tokenizer-limits-length", .warning, "raise model_max_length in tokenizer_config.json")
  static let remoteCode = LintRule(
    "remote-code", .note,
    "check that the model's own code accepts the keys, or load it without trust_remote_code")
  static let phimoeShort = LintRule(
    "phimoe-short-factors-only", .note, "serve the model with vLLM, SGLang, llama.cpp or MLX-LM")
  package static let weightsMissing = LintRule(
    "weights-missing", .note, "download the weights, if the model is to be verified")
  package static let weightsIndex = LintRule(
    "weights-without-index", .warning, "write the index: `lrpatch convert` writes a folder with it")
  package static let secondWeights = LintRule(
    "two-sets-of-weights", .error, "remove the file or the index, whichever is out of date")
  package static let tiedHead = LintRule(
    "tied-head", .warning,
    "set tie_word_embeddings to false, or remove the output matrix if it is a copy")
  package static let noGGUF = LintRule(
    "no-gguf", .note, "serve the folder with another runtime than llama.cpp")
  static let weightsInvalid = LintRule("weights-invalid", .error, "download the weights again")
  static let weightsUnaligned = LintRule(
    "weights-unaligned", .note, "rewrite the file with a header padded to 8 bytes")
  static let weightsEmptyMetadata = LintRule(
    "weights-empty-metadata", .note,
    "rewrite the file without __metadata__, or with an entry in it")
  static let edited = LintRule(
    "edited-since-patch", .warning,
    "apply again; `lrpatch revert --keep-edits` undoes the patch and keeps the edits")

  // MARK: GGUF

  static let ggufTablesMissing = LintRule(
    "gguf-factor-tensors-missing", .error,
    "apply the factors to the file: the converter left them out")
  static let ggufOneTable = LintRule("gguf-one-factor-tensor", .error, reapply)
  static let ggufArchitecture = LintRule(
    "gguf-architecture-takes-no-factors", .error, "serve the model folder with another runtime")
  static let ggufOriginal = LintRule("gguf-original-window-missing", .error, reapply)
  static let ggufAttention = LintRule("gguf-attn-factor-missing", .error, reapply)
  static let ggufScaling = LintRule("gguf-scaled-twice", .error, reapply)
  static let ggufNested = LintRule(
    "gguf-nested-array", .error, "remove the key: llama.cpp refuses arrays of arrays")
  static let ggufFinetuned = LintRule("gguf-rope-switched-off", .error, reapply)
  static let ggufLongByDefault = LintRule(
    "gguf-long-by-default", .note,
    "pass -c with the original window to serve short inputs with the short factors")
  static let ggufUnit = LintRule(
    "gguf-window-not-a-multiple-of-256", .note,
    "none: llama.cpp rounds -c up to a multiple of 256, and thus uses the long factors")

  /// All rules, in the order of specs/lint.md.
  public static let all: [LintRule] = [
    runtimeFails, runtimeIgnores, runtimeLacks, runtimeDiverges, factorsMissing, factorCount,
    factorNotMonotone, factorBelowOne, windowNotExtended, tableChoice, mscaleOnShort, crossing,
    chunkedPrefill, mscaleLiteral, mscaleDiffers, cannotRun, noForwardPass, tokenBeyond,
    invalidConfig, byteOrderMark, legacyType, typeNames, windowNested, windowTop, thetaLost,
    partialLost, objectsDiffer, onlyParameters, factorRatio, factorWhole, nearMiss, slidingWindow,
    tokenizerLimit, remoteCode, phimoeShort, weightsMissing, weightsIndex, secondWeights, tiedHead,
    noGGUF, weightsInvalid, weightsUnaligned, weightsEmptyMetadata, edited, ggufTablesMissing,
    ggufOneTable, ggufArchitecture, ggufOriginal, ggufAttention, ggufScaling, ggufNested,
    ggufFinetuned, ggufLongByDefault, ggufUnit,
  ]
}

/// A problem that was found in a model.
public struct LintFinding: Equatable, Sendable {
  /// The rule that the model breaks.
  public var rule: LintRule
  /// What was found, and where.
  public var message: String

  package init(_ rule: LintRule, _ message: String) {
    self.rule = rule
    self.message = message
  }
}
