import ArgumentParser
import Formats
import Foundation
import Patch
import Verify

struct VerifyCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Runs a model on the CPU as each runtime would: passkeys, needles, RULER, perplexity, with gates.",
    discussion: """
      Exit 1 when a gate fails. A metric that was not completely measured fails its gate. Ctrl-C keeps what is known.
      """)

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(help: "A runtime to follow: paper, hf, hf4, vllm, sglang, mlx, llama.cpp or all; may be repeated.")
  var runtime: [String] = ["all"]

  @Option(
    help: ArgumentHelp("Factors to run the model with; nothing is written.", valueName: "factors"), completion: .file())
  var factors: String?

  @Option(
    name: .long, defaultAsFlag: "",
    help: ArgumentHelp(
      "Compare with a model within the original window; without a value, with this one before its patch.",
      valueName: "model"), completion: .file())
  var baseline: String?

  @Option(
    help: ArgumentHelp(
      "What is measured; may be repeated. Default passkey, and perplexity of given texts. Retention is measured wherever there is a baseline.",
      valueName: "task"))
  var task: [String] = []

  @Option(
    help: ArgumentHelp(
      "Lengths in tokens, separated by commas; default L0/2, L0, then doubling to the window.", valueName: "lengths")
  )
  var lengths: String?

  @Option(help: "Depths at which passkeys and needles are hidden.")
  var depths = 11

  @Option(help: "Prompts a length and depth.")
  var samples = 1

  @Option(help: "Whose passkey prompt: longrope or llama.cpp.", transform: choice)
  var passkeyPrompt = Passkey.Style.longrope

  @Option(
    help: ArgumentHelp(
      "A text whose perplexity is measured, and that haystacks are made of; may be repeated. Default: a book that ships with the program.",
      valueName: "file"), completion: .file())
  var perplexity: [String] = []

  @Option(help: "How perplexity is measured: truncate, sliding, llama.cpp or hf-stride.", transform: choice)
  var method = Perplexity.Method.truncate

  @Option(help: "Tokens that a window is moved on by, for sliding and hf-stride.")
  var stride = 256

  @Option(help: ArgumentHelp("Windows of each text at most.", valueName: "count"))
  var windows = 4

  @Option(
    help: "Whether sequences begin with the beginning token: auto, as the model wants it; force; none.",
    transform: choice)
  var bos = Tokenizer.Beginning.auto

  @Option(
    help: ArgumentHelp("A gate, such as passkey>=0.95 or perplexity@1k@vllm<=40; may be repeated.", valueName: "gate")
  )
  var require: [String] = []

  @Flag(help: "Only measure.")
  var noGates = false

  @Option(help: "exact: in 32-bit floats. fast: bf16 products where the processor has them.", transform: choice)
  var precision = Precision.exact

  @Option(
    help: ArgumentHelp("Stop after so long, such as 90s, 30m or 2h, with what is known.", valueName: "time"))
  var timeBudget: Period?

  @Option(
    help: ArgumentHelp("Measure one part of the grid, such as 2/8; a part is not judged.", valueName: "part"))
  var shard: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Write the result as JSON; an older result there is replaced, anything else is left alone.", valueName: "file"),
    completion: .file())
  var output: String?

  @OptionGroup var rendering: RenderingOptions

  @Option(help: "The seed of the prompts.")
  var seed: UInt64 = 0

  @OptionGroup var work: WorkOptions

  @OptionGroup var common: CommonOptions

  static let runtimeNames = ["paper"] + Runtime.allCases.map(\.rawValue)
  private static let taskNames = Campaign.Task.names + ["ruler"]

  /// Reads the numbers of gates, lengths with units among them.
  static func gate(_ text: String) -> Gate? {
    Gate(text, runtimes: runtimeNames) { TokenCount(argument: $0)?.value }
  }

  func validate() throws {
    for name in runtime where name != "all" && !Self.runtimeNames.contains(name) {
      throw ValidationError(
        "there is no runtime '\(name)'; there are all, \(Self.runtimeNames.joined(separator: ", "))")
    }
    for gate in require where Self.gate(gate) == nil {
      throw ValidationError(
        "'\(gate)' is no gate; expected METRIC[@LENGTH|@short|@long][@RUNTIME]>=NUMBER, such as passkey@32k>=0.95, with one of \(Metric.names.joined(separator: ", "))"
      )
    }
    for name in task where !Self.taskNames.contains(name) {
      throw ValidationError("there is no task '\(name)'; there are \(Self.taskNames.joined(separator: ", "))")
    }
    if task.contains("retention"), baseline == nil { throw ValidationError("the task retention needs --baseline") }
    if let lengths, TokenCount.list(lengths) == nil {
      throw ValidationError("'\(lengths)' is no list of lengths, such as 4096,8k,128k")
    }
    let most = 1_000_000
    for (name, value, limit) in [
      ("depths", depths, 1000), ("samples", samples, 1000), ("windows", windows, most), ("stride", stride, most),
    ] where !(1...limit).contains(value) { throw ValidationError("--\(name) is a number from 1 to \(limit)") }
    if noGates, !require.isEmpty { throw ValidationError("--no-gates and --require exclude each other") }
    if let shard, Campaign.Shard(shard) == nil {
      throw ValidationError("'\(shard)' is no part; expected I/N with I from 1 to N")
    }
    if shard != nil, !require.isEmpty { throw ValidationError("a shard is never judged") }
  }

  func run() throws {
    if output == "" { throw ValidationError("-o needs a name") }
    let paths = rendering.paths + [output].compactMap(\.self)
    if Set(paths.map(FileSystem.canonical)).count < paths.count {
      throw ValidationError("two outputs have the same name")
    }
    try rendering.requireReplaceable()
    let session = try common.open(model)
    let run = try VerifyRun(self, session)
    // Made first, so that hours of work cannot end in a path that nothing can be written to.
    var file: ResultFile? = nil
    if let output { file = try ResultFile(output, schema: "lrpatch.verify/1") }
    var provenance = ResultDocument.Provenance()
    if output != nil || rendering.html != nil || common.json {
      provenance = try ResultDocument.Provenance(self, session, arguments: CommandLine.arguments)
    }
    let outcome = try run.measure()
    var document = ResultDocument(self, outcome)
    document.provenance = provenance
    let text = common.json ? "" : ResultTables(document: document).text
    if common.json { Output.json(document.json) } else if !text.isEmpty { Output.result(text) }
    if let file = file.take() { try file.write(document.json) }
    try rendering.write(document)
    Annotations.write(outcome.verdicts, model: model)
    if let stop = outcome.stop {
      Output.note(stop.message)
      if stop == .interrupted { throw Interrupted() }
    }
    if outcome.verdicts.contains(where: { !$0.passes }) { throw CheckFailed() }
  }
}

/// A length of time: `90s`, `30m`, `2h`, or seconds.
struct Period: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    let unit = argument.last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number > 0, number < 1e7 else {
      return nil
    }
    duration = .seconds(number * (unit ?? 1))
  }
}
