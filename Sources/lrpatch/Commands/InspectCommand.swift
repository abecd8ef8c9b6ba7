import ArgumentParser
import Formats
import Patch
import Verify

struct InspectCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows a model's window, RoPE and factors, and what each runtime would really use.",
    discussion: onlyExamples(
      ("a folder", "inspect model"), ("the tensors of a GGUF file", "inspect model.gguf --tensors"))
  )

  @OptionGroup var models: ModelArguments

  @Flag(help: "List the tensors with type, shape, offset and statistics.")
  var tensors = false

  @OptionGroup(title: "Common") var common: CommonOptions

  func run() throws {
    try models.forEach(common) { try tensors ? listTensors($0) : inspect($0) }
  }

  private func inspect(_ model: String) throws -> JSONValue? {
    let session = try common.open(model)
    let inspection = try Inspection(session)
    let problem = try RunCheck.problem(session)
    if common.json {
      let runs = JSONMember("cannot_run", problem.map { .string($0) } ?? .null)
      return .object(inspection.members + [runs])
    }
    Output.result(InspectReport.text(inspection, problem: problem))
    return nil
  }

  /// Any GGUF file can be listed, also one whose architecture takes no factors.
  private func listTensors(_ model: String) throws -> JSONValue? {
    let session = try common.open(model)
    let listing = try TensorListing(session)
    let inspection = try? Inspection(session)
    if common.json {
      let members = inspection?.members ?? InspectReport.bareMembers(session)
      return .object(members + listing.members)
    }
    if let inspection { Output.result(InspectReport.text(inspection) + "\n") }
    Output.result(listing.text)
    return nil
  }
}
