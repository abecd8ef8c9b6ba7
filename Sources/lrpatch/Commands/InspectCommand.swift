import ArgumentParser
import Formats
import Patch
import Verify

struct InspectCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows a model's window, RoPE and factors, and what each runtime would really use.")

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Flag(help: "List the tensors with type, shape, offset and statistics.")
  var tensors = false

  @OptionGroup var common: CommonOptions

  func run() throws {
    let session = try common.open(model)
    // Any GGUF file can be listed, also one whose architecture takes no factors.
    if tensors {
      let listing = try TensorListing(session)
      let inspection = try? Inspection(session)
      if common.json {
        var members = inspection?.members ?? InspectReport.bareMembers(session)
        members += listing.members
        return Output.json(.object(members))
      }
      if let inspection { Output.result(InspectReport.text(inspection) + "\n") }
      Output.result(listing.text)
    } else {
      let inspection = try Inspection(session)
      let problem = try RunCheck.problem(session)
      if common.json {
        let runs = JSONMember("cannot_run", problem.map { .string($0) } ?? .null)
        Output.json(.object(inspection.members + [runs]))
      } else {
        Output.result(InspectReport.text(inspection, problem: problem))
      }
    }
  }
}
