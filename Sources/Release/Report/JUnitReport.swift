public import Patch
public import Verify

/// Gates and measurements, or lint findings, as JUnit's XML, which every CI server reads.
///
/// Each gate is a case that fails with the gate, each measurement a case that says what was found,
/// and each finding a case.
public struct JUnitReport: Sendable {
  private struct Case: Sendable {
    var group: String
    var name: String
    var failure: String?
    var output: String

    var xml: String {
      let failed =
        failure.map {
          """
                <failure message="\(XML.escaped($0))" type="\(group)">\(XML.escaped($0))</failure>

          """
        } ?? ""
      return """
            <testcase classname="lrpatch.\(XML.escaped(group))" name="\(XML.escaped(name))" time="0">
        \(failed)      <system-out>\(XML.escaped(output))</system-out>
            </testcase>

        """
    }
  }

  private let name: String
  /// How long the measurement took; 0 if that is not known.
  private var seconds = 0.0
  private let suites: [(name: String, cases: [Case])]

  /// The suite of measurements, which take the time of the run.
  private static let cellsName = "cells"

  /// How every such file begins.
  static let beginning =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lrpatch "

  /// One suite of gates and one of measurements.
  public init(_ document: ResultDocument) {
    name = "verify \(document.model)"
    seconds = document.seconds ?? 0
    let gates = document.verdicts.map { verdict in
      Case(
        group: "gates", name: verdict.gate.text,
        failure: verdict.passes ? nil : verdict.worstText, output: verdict.worstText)
    }
    let cells = Self.cells(document.measured)
    suites = [("gates", gates), (Self.cellsName, cells)].filter { !$0.1.isEmpty }
  }

  /// One suite of findings for each model.
  ///
  /// Without findings a suite has one case, which passes.
  /// - Parameter limit: findings of this severity and above fail.
  public init(
    findings reports: [(model: String, findings: [LintFinding])],
    failingFrom limit: LintRule.Severity
  ) {
    name = "lint \(reports.map(\.model).joined(separator: " "))"
    suites = reports.map { report in
      let cases = report.findings.map { finding in
        let rule = finding.rule
        let text = "\(rule.severity.rawValue): \(finding.message). Remedy: \(rule.remedy)"
        return Case(
          group: "lint", name: rule.name, failure: rule.severity >= limit ? text : nil,
          output: text)
      }
      let clean = Case(group: "lint", name: "every rule", output: "nothing found")
      return (
        reports.count > 1 ? "lint \(report.model)" : "lint", cases.isEmpty ? [clean] : cases
      )
    }
  }

  // MARK: Cases

  private static func cells(_ measured: Measurements) -> [Case] {
    passkeys(measured) + answers(measured) + perplexities(measured) + retentions(measured)
      + measured.crossings.map {
        Case(group: "crossing", name: "\($0.runtime) at \($0.length)", output: "\($0.perplexity)")
      } + measured.benchmarks.map(benchmark)
  }

  /// All questions of a benchmark together.
  private static func benchmark(_ result: BenchmarkResult) -> Case {
    let scores = result.benchmark.scores.indices.map { score in
      let retained = RetainedShare([result], score: score).map { ", retained \($0.share)" } ?? ""
      return "\(result.benchmark.scores[score].rawValue) \(result.mean(score) ?? 0)\(retained)"
    }
    return Case(
      group: result.benchmark.name, name: "\(result.runtime), \(result.documents.count) questions",
      output: scores.joined(separator: "; "))
  }

  private static func passkeys(_ measured: Measurements) -> [Case] {
    measured.passkeys.map { result in
      let found = result.isExact ? "found" : "not found"
      return Case(
        group: "passkey", name: name(result.runtime, result.cell),
        output: "\(found), margin \(result.margin)")
    }
  }

  private static func answers(_ measured: Measurements) -> [Case] {
    measured.answers.map { result in
      Case(
        group: result.task, name: name(result.runtime, result.cell),
        output: "score \(result.score)")
    }
  }

  private static func perplexities(_ measured: Measurements) -> [Case] {
    measured.perplexities.map { named in
      Case(
        group: "perplexity",
        name: "\(named.result.runtime) at \(named.result.length), \(named.text)",
        output: "\(named.result.value)")
    }
  }

  private static func retentions(_ measured: Measurements) -> [Case] {
    measured.retentions.map { result in
      Case(
        group: "retention", name: "\(result.runtime) at \(result.length)",
        output: """
          perplexity ratio \(result.ratio), divergence \(result.divergence), \
          same likeliest token \(result.agreement)
          """)
    }
  }

  private static func name(_ runtime: String, _ cell: Passkey.Cell) -> String {
    "\(runtime) at \(cell.length), depth \(cell.depth), sample \(cell.sample)"
  }

  // MARK: XML

  /// The whole file.
  public var text: String {
    let body = suites.map { name, cases in
      """
        <testsuite name="\(XML.escaped(name))" \(Self.counts(cases)) skipped="0" \
      time="\(name == Self.cellsName ? seconds.sixDigits : "0")">
      \(cases.map(\.xml).joined())  </testsuite>

      """
    }
    return """
      \(Self.beginning)\(XML.escaped(name))" \(Self.counts(suites.flatMap(\.cases))) \
      time="\(seconds.sixDigits)">
      \(body.joined())</testsuites>

      """
  }

  private static func counts(_ cases: [Case]) -> String {
    let failures = cases.count { $0.failure != nil }
    return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\""
  }
}
