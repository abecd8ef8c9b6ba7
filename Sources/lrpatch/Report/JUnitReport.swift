import Patch
import Verify

/// A result, or findings, as JUnit's XML: a case for each gate, which fails with it, for each cell, which says what was
/// found, and for each finding.
struct JUnitReport {
  private struct Case {
    var group: String
    var name: String
    var failure: String?
    var output: String
  }

  private let name: String
  private let suites: [(name: String, cases: [Case])]

  /// Of every such file.
  static let beginning = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lrpatch "

  init(_ document: ResultDocument) {
    name = "verify \(document.model)"
    let gates = document.verdicts.map { verdict in
      Case(
        group: "gates", name: verdict.gate.text, failure: verdict.passes ? nil : ResultTables.place(verdict),
        output: ResultTables.place(verdict))
    }
    let passkeys = document.measured.passkeys.map { result in
      Case(
        group: "passkey", name: Self.name(result.runtime, result.cell),
        output: "\(result.isExact ? "found" : "not found"), margin \(result.margin)")
    }
    let answers = document.measured.answers.map { result in
      Case(group: result.task, name: Self.name(result.runtime, result.cell), output: "score \(result.score)")
    }
    let perplexities = document.measured.perplexities.map { named in
      Case(
        group: "perplexity", name: "\(named.result.runtime) at \(named.result.length), \(named.text)",
        output: "\(named.result.value)")
    }
    let retentions = document.measured.retentions.map {
      Case(
        group: "retention", name: "\($0.runtime) at \($0.length)",
        output: "perplexity ratio \($0.ratio), divergence \($0.divergence), same likeliest token \($0.agreement)")
    }
    let crossings = document.measured.crossings.map {
      Case(group: "crossing", name: "\($0.runtime) at \($0.length)", output: "\($0.perplexity)")
    }
    let cells = passkeys + answers + perplexities + retentions + crossings
    suites = [("gates", gates), ("cells", cells)].filter { !$0.1.isEmpty }
  }

  /// - Parameter limit: findings of this severity and above fail. Without findings there is one case, which passes.
  init(model: String, _ findings: [LintFinding], failingFrom limit: LintRule.Severity) {
    name = "lint \(model)"
    let cases = findings.map { finding in
      let text = "\(finding.rule.severity.rawValue): \(finding.message). Remedy: \(finding.rule.remedy)"
      return Case(
        group: "lint", name: finding.rule.name, failure: finding.rule.severity >= limit ? text : nil, output: text)
    }
    let clean = Case(group: "lint", name: "every rule", output: "nothing found")
    suites = [("lint", cases.isEmpty ? [clean] : cases)]
  }

  private static func name(_ runtime: String, _ cell: Passkey.Cell) -> String {
    "\(runtime) at \(cell.length), depth \(cell.depth), sample \(cell.sample)"
  }

  var text: String {
    let all = suites.flatMap(\.cases)
    let body = suites.map { name, cases in
      "  <testsuite name=\"\(name)\" tests=\"\(cases.count)\" failures=\"\(cases.count { $0.failure != nil })\" errors=\"0\" skipped=\"0\" time=\"0\">\n\(cases.map(Self.xml).joined())  </testsuite>\n"
    }
    return """
      \(Self.beginning)\(XML.escaped(name))" tests="\(all.count)" failures="\(all.count { $0.failure != nil })" errors="0" time="0">
      \(body.joined())</testsuites>

      """
  }

  private static func xml(_ item: Case) -> String {
    let failed =
      item.failure.map {
        "      <failure message=\"\(XML.escaped($0))\" type=\"\(item.group)\">\(XML.escaped($0))</failure>\n"
      } ?? ""
    return """
          <testcase classname="lrpatch.\(XML.escaped(item.group))" name="\(XML.escaped(item.name))" time="0">
      \(failed)      <system-out>\(XML.escaped(item.output))</system-out>
          </testcase>

      """
  }
}
