import Formats
import Inference
import Numerics
public import Patch

/// What a verification found.
public struct VerifyOutcome: Sendable {
  /// The options of the job.
  public let options: VerifyOptions
  /// What was measured.
  public internal(set) var measured: Measurements
  /// One verdict for each gate.
  public internal(set) var verdicts: [Verdict]
  /// Why the run ended early; nil if everything was measured.
  public internal(set) var stop: EarlyStop?
  /// The runtimes that could not be followed, with the reasons.
  public let unfollowed: [UnfollowedRuntime]
  /// The names of the texts that were used as tokens.
  public let texts: [String]
  /// The model as it was run.
  public let inspection: Inspection
  /// What was asked, as JSON.
  let plan: JSONValue
  /// How long the run took.
  public let seconds: Double

  /// Whether every gate holds.
  public var passes: Bool { verdicts.allSatisfy(\.passes) }

  /// The result as it is saved, without its provenance.
  public var document: ResultDocument {
    var document = ResultDocument(
      method: method, version: lrpatchVersion, model: options.model, isComplete: stop == nil,
      shard: options.shard?.description, unfollowed: unfollowed, measured: measured,
      verdicts: verdicts)
    document.inspection = .object(inspection.members)
    document.plan = plan
    return document
  }

  private var prefillChunk: JSONValue {
    switch options.prefill {
    case .own: .null
    case .whole: .string("none")
    case .chunks(let size): .number(size)
    }
  }

  private var method: JSONValue {
    let baseline: JSONValue =
      switch options.baseline {
      case nil: .null
      case .beforePatch?: .string(VerifyOptions.beforePatchName)
      case .model(let path)?, .everywhere(let path)?: .string(path)
      }
    var isEverywhere = false
    if case .everywhere? = options.baseline { isEverywhere = true }
    return .object([
      "precision": .string(options.precision.rawValue),
      "cache": .string(options.cache.keys.rawValue),
      "cache_values": .string(options.cache.values.rawValue),
      "baseline_cache": options.otherBaselineCache?.json ?? .null,
      "seed": .number(String(options.seed)),
      "passkey_prompt": .string(options.passkeyPrompt.rawValue),
      "prefill_chunk": prefillChunk, "perplexity": .string(options.method.rawValue),
      "stride": .number(options.stride),
      "windows": options.windows.map { .number($0) } ?? .null, "bos": .string(options.bos.rawValue),
      "factors": options.factors.map { .string($0) } ?? .null, "baseline": baseline,
      "compares_everywhere": .bool(isEverywhere),
      "self_extend": options.selfExtend?.json ?? .null,
      "dynamic_ntk": .bool(options.usesDynamicNTK),
      "texts": .array(texts.map { .string($0) }),
    ])
  }
}

extension SelfExtend {
  fileprivate var json: JSONValue {
    .object(["group": .number(group), "window": .number(window)])
  }
}

extension CacheTypes {
  fileprivate var json: JSONValue {
    .object(["keys": .string(keys.rawValue), "values": .string(values.rawValue)])
  }
}
