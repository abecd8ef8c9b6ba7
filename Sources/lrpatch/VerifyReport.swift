import Formats
import Patch
import Verify

/// What `verify` found, as text and as JSON.
struct VerifyReport {
  private let command: VerifyCommand
  private let outcome: VerifyRun.Outcome
  private var measured: Measurements { outcome.measured }

  init(_ command: VerifyCommand, _ outcome: VerifyRun.Outcome) {
    self.command = command
    self.outcome = outcome
  }

  // MARK: Text

  var text: String {
    var sections: [[String]] = measured.metrics.filter { $0 != .publishedPasskey || publishedDiffers }.map { metric in
      [title(metric)] + table(metric)
    }
    let effective = command.shard == nil ? effectiveLengths : []
    if !effective.isEmpty { sections.append(["effective length"] + effective) }
    if !measured.skipped.isEmpty {
      sections.append(
        ["not measured"] + measured.skipped.map { "  \($0.task) at \($0.length): \($0.reason)" })
    }
    if !outcome.verdicts.isEmpty { sections.append(outcome.verdicts.map(line)) }
    return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
  }

  /// The laxer score is shown where it says something else.
  private var publishedDiffers: Bool { measured.passkeys.contains { $0.isExact != $0.isPublished } }

  private func title(_ metric: Metric) -> String {
    switch metric {
    case .passkey: "passkeys found (exact, \(command.passkeyPrompt.rawValue)'s prompt)"
    case .publishedPasskey: "passkeys found (first number of ten tokens)"
    case .perplexity:
      "perplexity (\(command.method.rawValue)\(outcome.texts.count > 1 ? ", the worst of \(outcome.texts.count) texts" : ""))"
    case .perplexityRatio: "perplexity, of that of the baseline"
    case .divergence: "divergence from the baseline, nats a token"
    case .agreement: "same likeliest token as the baseline"
    case .crossing: "perplexity of tokens generated past the original window"
    default: "\(metric.rawValue): answers found"
    }
  }

  private func table(_ metric: Metric) -> [String] {
    let lengths = measured.lengths.filter { length in
      measured.runtimes.contains { measured.partialValue(.init(metric: metric, runtime: $0, length: length)) != nil }
    }
    let header = ["runtime"] + lengths.map { $0 > measured.originalWindow ? "\($0) *" : String($0) }
    let rows = measured.runtimes.map { runtime in
      [runtime] + lengths.map { cell(.init(metric: metric, runtime: runtime, length: $0)) }
    }
    return InspectReport.columns([header] + rows).map { "  " + $0 }
  }

  private func cell(_ place: Measurements.Place) -> String {
    guard let value = measured.partialValue(place) else { return "-" }
    let isPartial = measured.missing[place] != nil
    return shown(value, place) + (isPartial ? " (partly)" : "")
  }

  private func shown(_ value: Double, _ place: Measurements.Place) -> String {
    switch place.metric {
    case .perplexity:
      let error = measured.perplexities.map(\.result)
        .first { $0.runtime == place.runtime && $0.length == place.length && $0.value == value }?.standardError
      return InspectReport.number(value) + (error.map { " ± \(InspectReport.number($0))" } ?? "")
    case .perplexityRatio, .divergence, .crossing: return InspectReport.number(value)
    default: return "\(InspectReport.number((value * 1000).rounded() / 10)) %"
    }
  }

  private var effectiveLengths: [String] {
    let found = measured.runtimes.compactMap { name in measured.effectiveLength(name).map { (name, $0) } }
    guard let tasks = found.first?.1.tasks, let threshold = found.first?.1.threshold else {
      let hasRULER = measured.answers.contains { $0.task != "niah" }
      return hasRULER ? ["  not known: it takes the same tasks, completely measured, at every length"] : []
    }
    let rows = found.map { name, effective in [name, effective.length.map(String.init) ?? "none"] }
    return InspectReport.columns(rows).map { "  " + $0 }
      + ["  the greatest length whose mean of \(tasks.count) of 13 tasks exceeds \(InspectReport.number(threshold)) %"]
  }

  private func line(_ verdict: Verdict) -> String {
    let value = verdict.worst.map { "\(InspectReport.number($0)), \(verdict.place)" } ?? verdict.place
    return "\(verdict.passes ? "passed" : "FAILED")  \(verdict.gate.text)  (\(value))"
  }

  // MARK: JSON

  var json: JSONValue {
    .object([
      "schema": .string("lrpatch.verify/1"), "version": .string(lrpatchVersion), "model": .string(command.model),
      "original_window": .number(measured.originalWindow),
      "method": method, "complete": .bool(outcome.stop == nil),
      "shard": command.shard.map { .string($0) } ?? .null,
      "unfollowed": .array(
        outcome.unfollowed.map { .object(["runtime": .string($0.runtime), "reason": .string($0.reason)]) }),
      "passkeys": .array(measured.passkeys.map(json)),
      "answers": .array(measured.answers.map(json)),
      "perplexities": .array(measured.perplexities.map(json)),
      "retention": .array(measured.retentions.map(json)),
      "crossings": .array(measured.crossings.map(json)),
      "effective_lengths": .array(command.shard == nil ? measured.runtimes.compactMap(effectiveLength) : []),
      "skipped": .array(
        measured.skipped.map {
          .object(["task": .string($0.task), "length": .number($0.length), "reason": .string($0.reason)])
        }),
      "missing": .array(missing),
      "gates": .array(outcome.verdicts.map(json)),
    ])
  }

  /// What makes the numbers comparable with others.
  private var method: JSONValue {
    .object([
      "precision": .string(command.precision.rawValue), "seed": .number(Double(command.seed)),
      "passkey_prompt": .string(command.passkeyPrompt.rawValue), "perplexity": .string(command.method.rawValue),
      "stride": .number(command.stride), "windows": .number(command.windows), "bos": .string(command.bos.rawValue),
      "factors": command.factors.map { .string($0) } ?? .null,
      "baseline": command.baseline.map { .string($0.isEmpty ? "before the patch" : $0) } ?? .null,
      "texts": .array(outcome.texts.map { .string($0) }),
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

  private func json(_ result: Passkey.Result) -> JSONValue {
    .object([
      "runtime": .string(result.runtime), "length": .number(result.cell.length),
      "depth": .number(result.cell.depth), "sample": .number(result.cell.sample), "key": .number(result.key),
      "exact": .bool(result.isExact), "published": result.isPublished.map { .bool($0) } ?? .null,
      "margin": .number(result.margin),
    ])
  }

  private func json(_ result: AnswerResult) -> JSONValue {
    .object([
      "task": .string(result.task), "runtime": .string(result.runtime), "length": .number(result.cell.length),
      "depth": result.task == "niah" ? .number(result.cell.depth) : .null, "sample": .number(result.cell.sample),
      "score": .number(result.score), "references": .array(result.references.map { .string($0) }),
      "output": .string(result.output),
    ])
  }

  private func json(_ named: Measurements.NamedPerplexity) -> JSONValue {
    .object([
      "text": .string(named.text), "runtime": .string(named.result.runtime), "length": .number(named.result.length),
      "method": .string(command.method.rawValue), "perplexity": .number(named.result.value),
      "standard_error": .number(named.result.standardError), "tokens": .number(named.result.tokens),
      "windows": .number(named.result.windows),
    ])
  }

  private func json(_ result: Retention.Result) -> JSONValue {
    .object([
      "runtime": .string(result.runtime), "length": .number(result.length), "perplexity": .number(result.perplexity),
      "baseline_perplexity": .number(result.baselinePerplexity), "perplexity_ratio": .number(result.ratio),
      "kl": .number(result.divergence), "top1": .number(result.agreement), "tokens": .number(result.tokens),
    ])
  }

  private func json(_ result: Crossing.Result) -> JSONValue {
    .object([
      "runtime": .string(result.runtime), "length": .number(result.length), "perplexity": .number(result.perplexity),
      "tokens": .number(result.tokens),
    ])
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

  private func json(_ verdict: Verdict) -> JSONValue {
    .object([
      "gate": .string(verdict.gate.text), "passed": .bool(verdict.passes),
      "worst": verdict.worst.map { .number($0) } ?? .null, "place": .string(verdict.place),
    ])
  }
}
