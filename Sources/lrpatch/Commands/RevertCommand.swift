import ArgumentParser
import Formats
import Models
import Patch
import Release

struct RevertCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "revert", abstract: "Restores every byte of what was there before the last apply.",
    discussion: onlyExamples(
      ("the last apply", "revert model"), ("every apply", "revert model.gguf --all")))

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Flag(help: "Undo every apply, back to before the first.")
  var all = false

  @Flag(
    help: """
      If the model was edited after the apply: undo what it changed, and keep the edits of other \
      members of the configs, or of values of a GGUF file that were overwritten in place.
      """)
  var keepEdits = false

  @Flag(help: "Edit the file even though another process has it open.")
  var force = false

  @OptionGroup(title: "Common") var common: CommonOptions

  func run() throws {
    let session = try common.open(model, exclusive: true)
    // Before the change, because it may remove what they are about.
    let remarks = Signatures.remarks(beside: session)
    var revert = Revert()
    revert.all = all
    revert.force = force
    revert.keepsEdits = keepEdits
    let count = try Interruption.deferred { try revert.perform(in: session) }
    if count > 0 { for remark in remarks { common.note("\(remark)") } }
    if count > 0, CardFile.hasSection(beside: session) {
      common.note(
        "the section of lrpatch in README.md still describes the patch; remove it, or run card after the next apply"
      )
    }
    let wasRecovered = session.recovery != nil
    if common.json {
      Output.json(
        .object([
          "schema": DocumentSchema.revert.json, "model": .string(model),
          "reverted": .number(count), "recovered": .bool(wasRecovered),
        ]))
    } else if count > 0, !common.quiet {
      Output.result("\(model): \(count == 1 ? "1 apply" : "\(count) applies") undone")
    }
    guard count > 0 || wasRecovered else {
      throw ModelError.unsupported(model, "carries no record of an apply; there is nothing to undo")
    }
  }
}
