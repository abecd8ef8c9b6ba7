import ArgumentParser
import Formats
import Models
import Patch
import Release

struct CardCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "card",
    abstract: "Updates the model card: what the context window is, and what was measured.",
    discussion: """
      Sets base_model, tags and its own results of model-index in the YAML of README.md next to the \
      model, and one section between two marks. Everything else stays, byte for byte.
      """
        + examples(
          ("window and results", "card model --result result.json"),
          (
            "before and after, to read first",
            "card model --result after.json --before before.json --dry-run"
          )))

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    help: ArgumentHelp(
      "A result of verify -o, to put into the card; may be repeated.", valueName: "result"),
    completion: .file(extensions: ["json"]))
  var result: [String] = []

  @Option(
    help: ArgumentHelp(
      "A result of the model before its patch, to show next to --result; may be repeated.",
      valueName: "result"),
    completion: .file(extensions: ["json"]))
  var before: [String] = []

  @Option(
    help: ArgumentHelp(
      "The model that this one was made from, as the Hub names it.", valueName: "org/name"))
  var baseModel: String?

  @Option(
    help: ArgumentHelp(
      "The model's name in the model index; default that of the folder or file.",
      valueName: "name"))
  var name: String?

  @Flag(help: "Print the card and write nothing.")
  var dryRun = false

  @Flag(help: "Only check: exit 1 unless the card says all this already.")
  var check = false

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if check && dryRun { throw ValidationError("--check and --dry-run exclude each other") }
    let pattern = /[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*/
    if let baseModel, baseModel.wholeMatch(of: pattern) == nil {
      throw ValidationError("'\(baseModel)' is not a name on the Hub, such as org/name")
    }
    if !before.isEmpty, result.isEmpty { throw ValidationError("--before needs --result") }
    if name == "" { throw ValidationError("--name needs a name") }
  }

  func run() throws {
    let session = try common.open(model, exclusive: !dryRun && !check)
    var options = CardFile.Options()
    options.baseModel = baseModel
    options.name = name
    options.results = result
    options.before = before
    let card = try CardFile(of: session, options)
    if check { return try report(check: card) }
    if dryRun {
      let status = card.isChanged ? "planned" : "current"
      if common.json { return Output.json(document(card, status, text: card.new)) }
      return Output.raw(card.new)
    }
    if card.isChanged {
      for remark in Signatures.remarks(beside: session, .card) { common.note("\(remark)") }
      try card.write()
    }
    report(card)
  }

  private func report(check card: CardFile) throws {
    if common.json { Output.json(document(card, card.isChanged ? "differs" : "current")) }
    if card.isChanged {
      throw CheckFailed(message: "\(card.path): is not what lrpatch card would write")
    }
    if !common.json, !common.quiet { Output.result("\(card.path): says all this already") }
  }

  private func report(_ card: CardFile) {
    if common.json { return Output.json(document(card, card.isChanged ? "updated" : "current")) }
    guard !common.quiet else { return }
    let what = card.old.isEmpty ? "written" : "updated"
    Output.result("\(card.path): \(card.isChanged ? what : "says all this already")")
  }

  private func document(_ card: CardFile, _ status: String, text: [UInt8]? = nil) -> JSONValue {
    .object([
      "schema": DocumentSchema.card.json, "model": .string(model), "card": .string(card.path),
      "status": .string(status),
      "text": text.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null,
    ])
  }
}
