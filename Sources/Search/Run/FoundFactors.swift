package import Formats
import Models
import Patch

/// The best candidate of a search as a factor set.
struct FoundFactors {
  private let checkpoint: Checkpoint
  private let state: SearchLoop.State
  private let best: Evaluated

  init(_ checkpoint: Checkpoint, _ state: SearchLoop.State, _ best: Evaluated) {
    self.checkpoint = checkpoint
    self.state = state
    self.best = best
  }

  /// More than six digits have no effect in any runtime.
  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

  private var table: FactorTable {
    .uniform(checkpoint.space.factors(of: best.candidate).map(Self.rounded))
  }

  /// - Throws: `ModelError` for a checkpoint with a damaged set or attention scale; `FormatError`.
  var set: FactorSet {
    get throws { try checkpoint.onto.map(readjusted) ?? extended }
  }

  /// A set for a longer window.
  private var extended: FactorSet {
    get throws {
      let forms = checkpoint.space.settings
      return FactorSet(
        originalWindow: checkpoint.originalWindow, window: forms.window, long: table,
        short: checkpoint.short.map { .uniform($0) }, mscale: try mscale,
        startTokens: best.candidate.startTokens,
        requires: .init(rotaryDimensions: forms.rotaryDimensions, theta: forms.theta),
        provenance: provenance)
    }
  }

  private var mscale: Mscale {
    get throws {
      if let value = best.candidate.mscale.map(Self.rounded) {
        return .literal(long: value, short: value)
      }
      guard let mscale = Mscale(name: checkpoint.mscale) else {
        throw ModelError.unsupported(
          "the checkpoint", "'\(checkpoint.mscale.sanitized)' is not an attention scale")
      }
      return mscale
    }
  }

  /// The set of the checkpoint with a table for shorter inputs.
  private func readjusted(_ text: String) throws -> FactorSet {
    var set = try FactorSet(canonicalText: text)
    let length = checkpoint.space.window
    if length <= checkpoint.originalWindow {
      set.short = table
    } else {
      set.buckets.removeAll { $0.maximumLength == length }
      set.buckets.append(FactorSet.Bucket(maximumLength: length, factors: table))
      set.buckets.sort { $0.maximumLength < $1.maximumLength }
    }
    set.provenance = provenance
    return set
  }

  // MARK: Provenance

  private var provenance: JSONValue {
    let (fitness, settings) = (checkpoint.fitness, checkpoint.settings)
    var members = [
      JSONMember("tool", .string("lrpatch \(lrpatchVersion)")),
      JSONMember("algorithm", .string(settings.algorithm.rawValue)),
      JSONMember("seed", .number(String(settings.seed))),
      JSONMember("model_sha256", .string(checkpoint.model.sha256)),
      JSONMember("texts", .array(checkpoint.texts.map(Self.text))),
      JSONMember("part", .string("\(fitness.part)/\(fitness.parts)")),
      JSONMember("documents", .number(fitness.documents)),
      JSONMember("needles", .number(fitness.needles)),
      JSONMember("length", .number(fitness.length)),
      JSONMember("units_sha256", .string(checkpoint.unitsSHA256)),
    ]
    if fitness.scoresHaystack { members.append(JSONMember("haystacks_are_documents", .bool(true))) }
    if fitness.documents > 0 { members.append(JSONMember("method", .string(fitness.method))) }
    if fitness.needles > 0 {
      members.append(JSONMember("needle_prompt", .string(fitness.needlePrompt.rawValue)))
    }
    if let pair = best.candidate.criticalPair {
      members.append(JSONMember("critical_pair", .number(pair)))
    }
    if let scales = best.candidate.pairMscales {
      members.append(JSONMember("pair_mscales", .numbers(scales.map(Self.rounded))))
    }
    return .object(
      members + [
        JSONMember("loss", .number(best.fitness))
      ] + (best.isComplete ? [] : [JSONMember("units_measured", .number(best.losses.count))])
        + [
          JSONMember("precision", .string(checkpoint.precision)),
          JSONMember("cost", state.costJSON),
        ])
  }

  private static func text(_ text: Checkpoint.Text) -> JSONValue {
    let name = text.path.isEmpty ? "shipped with lrpatch" : FileSystem.name(of: text.path)
    return .object(["name": .string(name), "sha256": .string(text.sha256)])
  }
}

extension SearchOutcome {
  /// The cost of the whole search, as results have it.
  package var costJSON: JSONValue {
    var state = checkpoint.state
    state?.cost = cost
    return state?.costJSON ?? .null
  }
}

extension SearchLoop.State {
  /// The cost up to here, as provenance and results have it.
  package var costJSON: JSONValue {
    .object([
      "generations": .number(generations.count), "evaluations": .number(cost.evaluations),
      "stopped_early": .number(cost.stopped), "tokens": .number(cost.tokens),
      "audited": .number(cost.audited), "wrongly_stopped": .number(cost.wronglyStopped),
      "audit_tokens": .number(cost.auditTokens),
    ])
  }
}
