import Formats
import Verify

/// `verify` as text and as JSON.
enum VerifyReport {
  static func text(_ measured: Measurements, _ verdicts: [Verdict], method: Perplexity.Method) -> String {
    var lines: [String] = []
    if !measured.passkeys.isEmpty {
      lines +=
        ["passkeys found"]
        + table(measured) { runtime, length in
          measured.passkeyShare(runtime, length: length).map { "\(InspectReport.number($0 * 100)) %" }
        }
    }
    if !measured.perplexities.isEmpty {
      lines +=
        ["", "perplexity (\(method.rawValue))"]
        + table(measured) { runtime, length in
          measured.perplexity(runtime, length: length).map {
            "\(InspectReport.number($0.value)) ± \(InspectReport.number($0.standardError))"
          }
        }
    }
    if !verdicts.isEmpty { lines.append("") }
    for verdict in verdicts {
      let value = verdict.worst.map { "\(InspectReport.number($0)), \(verdict.place)" } ?? verdict.place
      lines.append("\(verdict.passes ? "passed" : "FAILED")  \(verdict.gate.text)  (\(value))")
    }
    return lines.joined(separator: "\n")
  }

  private static func table(
    _ measured: Measurements, _ cell: (String, Int) -> String?
  ) -> [String] {
    let lengths = measured.lengths
    let header =
      ["runtime"]
      + lengths.map { length in
        length > measured.originalWindow ? "\(length) *" : String(length)
      }
    let rows = measured.runtimes.map { runtime in
      [runtime] + lengths.map { cell(runtime, $0) ?? "-" }
    }
    return InspectReport.columns([header] + rows).map { "  " + $0 }
  }

  static func json(
    _ model: String, _ measured: Measurements, _ verdicts: [Verdict], method: Perplexity.Method
  ) -> JSONValue {
    .object([
      "schema": .string("lrpatch.verify/1"), "model": .string(model),
      "original_window": .number(measured.originalWindow),
      "passkeys": .array(measured.passkeys.map(json)),
      "perplexities": .array(measured.perplexities.map { json($0, method) }),
      "gates": .array(verdicts.map(json)),
    ])
  }

  private static func json(_ result: Passkey.Result) -> JSONValue {
    .object([
      "runtime": .string(result.runtime), "length": .number(result.cell.length),
      "depth": .number(result.cell.depth), "sample": .number(result.cell.sample), "key": .number(result.key),
      "exact": .bool(result.isExact), "published": .bool(result.isPublished), "margin": .number(result.margin),
    ])
  }

  private static func json(_ result: Perplexity.Result, _ method: Perplexity.Method) -> JSONValue {
    .object([
      "runtime": .string(result.runtime), "length": .number(result.length),
      "method": .string(method.rawValue), "perplexity": .number(result.value),
      "standard_error": .number(result.standardError), "tokens": .number(result.tokens),
      "windows": .number(result.windows),
    ])
  }

  private static func json(_ verdict: Verdict) -> JSONValue {
    .object([
      "gate": .string(verdict.gate.text), "passed": .bool(verdict.passes),
      "worst": verdict.worst.map { .number($0) } ?? .null, "place": .string(verdict.place),
    ])
  }
}
