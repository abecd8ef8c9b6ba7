import ArgumentParser
import Convert
import Formats
import Patch
import Release
import Verify

struct LintCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint",
    abstract: "Finds what would make a runtime ignore, misread or refuse a model or its factors.",
    discussion: "Exit 1 on errors, with --strict on warnings too.")

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Flag(help: "Fail on warnings too.")
  var strict = false

  @Option(help: ArgumentHelp("Leave a rule out; may be repeated.", valueName: "rule"))
  var allow: [String] = []

  @Option(
    help: ArgumentHelp("Write JUnit's XML: a case for each finding.", valueName: "file"),
    completion: .file())
  var junit: String?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if junit == "" { throw ValidationError("--junit needs a name") }
    let names = Set(LintRule.all.map(\.name))
    if let name = allow.first(where: { !names.contains($0) }) {
      throw unknown(name, of: "--allow", names.sorted())
    }
  }

  func run() throws {
    if let junit { try ReportFormat.junit.requireReplaceable(junit) }
    let session = try common.open(model)
    let all =
      try Lint.findings(session) + RunCheck.findings(session) + ConversionCheck.findings(session)
    let findings = Lint.sorted(all).filter { !allow.contains($0.rule.name) }
    if common.json {
      Output.json(
        .object([
          "schema": .string("lrpatch.lint/1"), "model": .string(model),
          "findings": .array(findings.map(json)),
        ]))
    } else {
      let shown = common.quiet ? findings.filter { $0.rule.severity > .note } : findings
      for finding in shown { Output.result(text(finding)) }
      if findings.isEmpty, !common.quiet { Output.result("\(model): nothing found") }
    }
    let limit: LintRule.Severity = strict ? .warning : .error
    if let junit {
      let report = JUnitReport(model: model, findings, failingFrom: limit)
      try ReportFormat.junit.write(report.text, to: junit)
    }
    Annotations.write(
      common.quiet ? findings.filter { $0.rule.severity > .note } : findings, model: model)
    if findings.contains(where: { $0.rule.severity >= limit }) { throw CheckFailed() }
  }

  private func text(_ finding: LintFinding) -> String {
    "\(finding.rule.severity.rawValue): \(finding.rule.name): \(finding.message). Remedy: \(finding.rule.remedy)"
  }

  private func json(_ finding: LintFinding) -> JSONValue {
    .object([
      "severity": .string(finding.rule.severity.rawValue), "rule": .string(finding.rule.name),
      "message": .string(finding.message), "remedy": .string(finding.rule.remedy),
    ])
  }
}
