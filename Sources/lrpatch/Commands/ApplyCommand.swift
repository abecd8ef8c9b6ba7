import ArgumentParser
import Formats
import Models
import Patch
import Release

struct ApplyCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Puts factors into a model.",
    discussion: """
      Without -o the model is changed in place, and `lrpatch revert` restores every byte. With -o the model stays as \
      it is, and the patched copy can be reverted likewise. A model that already carries these factors is left alone.
      """
        + examples(
          ("in place", "apply factors.json model"),
          (
            "what would change, for a copy that extends to 128k",
            "apply factors.json model -o long --target-length 128k --dry-run"
          ),
          (
            "only if both of these will use the factors",
            "apply factors.json model --for vllm,sglang"
          )))

  @Argument(
    help: "The factors: a factors file, a search CSV, a config, or a model that carries factors.",
    completion: .file())
  var factors: String

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    name: [.short, .long], help: "Write a patched copy to this new path instead.",
    completion: .file())
  var output: String?

  @Flag(help: "Print what would change and write nothing.")
  var dryRun = false

  @Flag(help: "Only check: exit 1 unless the model already carries exactly these factors.")
  var check = false

  @Option(
    help: ArgumentHelp(
      "The window to extend to, instead of what FACTORS says.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      "The window that is extended, instead of what FACTORS says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      "Short factors from another source, in any form of FACTORS.", valueName: "factors"),
    completion: .file())
  var shortFactors: String?

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      """
      Refuse unless this runtime will use the factors: \(Runtime.allCases.map(\.rawValue)
        .joined(separator: ", ")), or all that read the model's format; may be repeated or \
      separated by commas.
      """, valueName: "runtime"), completion: choices(Runtime.self))
  var runtimes: [String] = []

  @Flag(help: "Write values that some runtime cannot express.")
  var allowDivergent = false

  @Flag(help: "Keep a sliding window that is smaller than the new window.")
  var keepSlidingWindow = false

  @Flag(help: "With -o: hard-link the weights instead of copying them.")
  var hardLink = false

  @Flag(help: "Edit the file even though another process has it open.")
  var force = false

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if check && dryRun { throw ValidationError("--check and --dry-run exclude each other") }
    if output?.isEmpty == true { throw ValidationError("-o needs a path") }
    if check && output != nil { throw ValidationError("--check takes no -o") }
    if hardLink && output == nil { throw ValidationError("--hard-link needs -o") }
  }

  func run() throws {
    try refuseSwap(model: model, factors: factors, expected: "before")
    let source = try FactorSource(path: factors)
    var set = source.set
    var hash = source.sha256
    if let shortFactors {
      let short = try FactorSource(path: shortFactors)
      set.short = short.set.long
      hash = sha256(Array("\(source.sha256) \(short.sha256)".utf8))
    }
    if let originalLength { set.originalWindow = originalLength.value }
    let apply = try Apply(
      set, factorsSHA256: hash, version: lrpatchVersion, options: options())
    if let output, FileSystem.isFolder(model) == output.hasSuffix(".gguf"),
      FileSystem.isFolder(model) || GGUFSplit(containing: model) == nil
    {
      let form = FileSystem.isFolder(model) ? "a folder" : "a GGUF file, whose name ends in .gguf"
      throw ValidationError(
        "-o \(output): the copy of \(model) is \(form); to change the format, use lrpatch convert MODEL --factors FACTORS -o OUT"
      )
    }
    let changes = output == nil && !dryRun && !check
    let session = try common.open(model, exclusive: changes)
    let plan = try apply.plan(for: session)
    for remark in plan.remarks { common.note("\(remark)") }
    if changes, !plan.isEmpty, CardFile.hasSection(beside: session) {
      common.note(
        "the section of lrpatch in README.md describes other factors; update it with card")
    }
    if let targetLength, let window = source.set.window, window != targetLength.value {
      common.note(
        "the factors are for \(window) tokens and are written for \(targetLength.value)")
    }
    if check { return try report(check: plan) }
    if !dryRun {
      if let output {
        try apply.writeCopy(plan, of: session, to: output)
      } else {
        try Interruption.deferred { try apply.perform(plan, in: session) }
      }
    }
    try report(plan, apply, session)
  }

  private func options() throws -> ApplyOptions {
    var options = ApplyOptions()
    options.runtimes = try requiredRuntimes()
    options.targetWindow = targetLength?.value
    options.allowDivergent = allowDivergent
    options.keepSlidingWindow = keepSlidingWindow
    options.force = force
    options.hardLinks = hardLink
    return options
  }

  private func requiredRuntimes() throws -> [Runtime] {
    let names = listed(runtimes)
    let named = try names.filter { $0 != "all" }.map { name in
      guard let runtime = Runtime(rawValue: name) else {
        throw unknown(name, of: "--for", ["all"] + Runtime.allCases.map(\.rawValue))
      }
      return runtime
    }
    guard names.contains("all") else { return named }
    return ModelFile.format(of: model) == .folder ? Runtime.ofFolders : Runtime.ofFiles
  }

  // MARK: Reporting

  private func report(check plan: Plan) throws {
    if common.json {
      Output.json(document(plan, status: plan.isEmpty ? "already applied" : "differs"))
    } else if !plan.isEmpty {
      Output.result(plan.diff)
    } else if !common.quiet {
      Output.result("\(model): carries exactly these factors")
    }
    guard plan.isEmpty else {
      throw CheckFailed(message: "\(model): does not carry exactly these factors")
    }
  }

  private func report(_ plan: Plan, _ apply: Apply, _ session: borrowing ModelSession) throws {
    let status = plan.isEmpty ? "already applied" : dryRun ? "planned" : "applied"
    if common.json { return Output.json(document(plan, status: status)) }
    if dryRun, !plan.isEmpty {
      Output.result(plan.diff)
      return
    }
    guard !common.quiet else { return }
    let target = output ?? model
    Output.result(
      plan.isEmpty && output == nil
        ? "\(target): already applied"
        : plan.isEmpty
          ? "\(target): a copy, since \(model) already carries these factors"
          : "\(target): \(plan.changes.count) changes \(status)")
    guard !dryRun else { return }
    let advice =
      output == nil
      ? try ServingAdvice.lines(for: session)
      : try ServingAdvice.lines(for: common.open(apply.outputModel(of: session, at: target)))
    for line in advice { Output.result(line) }
  }

  private func document(_ plan: Plan, status: String) -> JSONValue {
    .object([
      "schema": DocumentSchema.apply.json,
      "model": .string(output ?? model),
      "status": .string(status),
      "changes": .array(plan.changes.map(\.json)),
      "remarks": .array(plan.remarks.map { .string($0) }),
    ])
  }
}

extension Plan.Change {
  var json: JSONValue {
    .object([
      "file": .string(file),
      "name": .string(name),
      "old": old.map { .string($0) } ?? .null,
      "new": new.map { .string($0) } ?? .null,
    ])
  }
}
