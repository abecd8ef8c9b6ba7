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
    discussion: "Exit 1 on errors, with --strict on warnings too."
      + examples(
        ("before a release", "lint model --strict"),
        ("several files, without one rule", "lint models/*.gguf --allow no-forward-pass")))

  @OptionGroup var models: ModelArguments

  @Flag(help: "Fail on warnings too.")
  var strict = false

  @Option(
    help: ArgumentHelp(
      "Leave a rule out; may be repeated or separated by commas.", valueName: "rule"),
    completion: .list(LintRule.all.map(\.name).sorted()))
  var allow: [String] = []

  @Option(
    help: ArgumentHelp("Write JUnit's XML: a case for each finding.", valueName: "file"),
    completion: .file())
  var junit: String?

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if junit == "" { throw ValidationError("--junit needs a name") }
    let names = Set(LintRule.all.map(\.name))
    if let name = listed(allow).first(where: { !names.contains($0) }) {
      throw unknown(name, of: "--allow", names.sorted())
    }
  }

  func run() throws {
    if let junit { try ReportFormat.junit.requireReplaceable(junit) }
    var reports: [(model: String, findings: [LintFinding])] = []
    try models.forEach(common) { model in
      let findings = try findings(model)
      reports.append((model, findings))
      return common.json ? document(model, findings) : show(findings, of: model)
    }
    if let junit {
      let report = JUnitReport(findings: reports, failingFrom: limit)
      try ReportFormat.junit.write(report.text, to: junit)
    }
    if reports.contains(where: { $0.findings.contains { $0.rule.severity >= limit } }) {
      throw CheckFailed()
    }
  }

  /// The severity from which on a finding fails the check.
  private var limit: LintRule.Severity { strict ? .warning : .error }

  private func findings(_ model: String) throws -> [LintFinding] {
    let session = try common.open(model)
    let all =
      try Lint.findings(session) + RunCheck.findings(session) + ConversionCheck.findings(session)
    return Lint.sorted(all).filter { !listed(allow).contains($0.rule.name) }
  }

  private func document(_ model: String, _ findings: [LintFinding]) -> JSONValue {
    .object([
      "schema": DocumentSchema.lint.json, "model": .string(model),
      "findings": .array(findings.map(json)),
    ])
  }

  private func show(_ findings: [LintFinding], of model: String) -> JSONValue? {
    let shown = common.quiet ? findings.filter { $0.rule.severity > .note } : findings
    for finding in shown { Output.result(text(finding)) }
    if findings.isEmpty, !common.quiet { Output.result("\(model): nothing found") }
    Annotations.write(shown, model: model)
    return nil
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
