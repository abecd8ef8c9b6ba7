import ArgumentParser
import Formats
import Foundation
import Inference
import Models
import Numerics
import Patch
import Release
import Verify

struct VerifyCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: """
      Runs a model on the CPU as each runtime would: passkeys, needles, RULER, perplexity, with gates.
      """,
    discussion: """
      Exit 1 when a gate fails. A metric that was not completely measured fails its gate. Ctrl-C \
      ends the run and keeps what was measured.
      """
        + examples(
          (
            "passkeys and the perplexity of a book, as every runtime would find them",
            "verify model --perplexity book.txt"
          ),
          (
            "a gate of a release pipeline, with a report",
            "verify model --require 'passkey@32k>=95%' --html report.html"
          ),
          (
            "where in the window another quantisation goes wrong",
            "verify model.Q4_K.gguf --against model.F16.gguf --lengths 8k"
          ),
          (
            "what the factors are worth, compared with a method that needs none",
            "verify model --self-extend 8,1k --lengths 32k"
          ),
          (
            "how much of a base model's score in a benchmark is retained",
            "verify model --baseline base --task arc_challenge --data test.jsonl --require 'retained>=98.5%'"
          )
        ))

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    help:
      "A runtime to follow: \(RuntimeChoice.names.joined(separator: ", ")) or all; may be repeated or separated by commas.",
    completion: .list(["all"] + RuntimeChoice.names)
  )
  var runtime: [String] = ["all"]

  @Option(
    help: ArgumentHelp(
      """
      Give prompts in chunks of this many tokens, as engines do, or none for whole prompts. \
      Default: each runtime's own.
      """,
      valueName: "chunk"))
  var prefillChunk: PrefillArgument?

  @Option(
    help: ArgumentHelp("Factors to run the model with; nothing is written.", valueName: "factors"),
    completion: .file())
  var factors: String?

  @Option(
    name: .long, defaultAsFlag: "",
    help: ArgumentHelp(
      """
      Compare with a model within the original window; without a value, with this one before its \
      patch.
      """,
      valueName: "model"), completion: .file())
  var baseline: String?

  @Option(
    help: ArgumentHelp(
      """
      Compare with a model of the same vocabulary, such as another quantisation, at every length and \
      position, and ask it for the same passkeys.
      """,
      valueName: "model"), completion: .file())
  var against: String?

  @Option(
    help: ArgumentHelp(
      """
      Measure the model without factors under Self-Extend too, as the row self-extend: keys at a \
      distance of this window and more are in groups of this many tokens.
      """,
      valueName: "group,window"), transform: selfExtendSizes)
  var selfExtend: SelfExtend?

  @Flag(
    name: .customLong("dynamic-ntk"),
    help: """
      Measure the model without factors under dynamic NTK scaling too, as the row dynamic-ntk.
      """)
  var dynamicNTK = false

  @OptionGroup(title: "Measurements") var measurement: MeasurementArguments

  @OptionGroup(title: "Gates") var gateArguments: GateArguments

  @Option(help: precisionHelp, completion: choices(Precision.self), transform: choice)
  var precision = Precision.exact

  @Option(
    help: choiceHelp(
      "Keep keys and values in this type, as llama.cpp's -ctk and -ctv", CacheType.self,
      default: .f32), completion: choices(CacheType.self), transform: choice)
  var cache = CacheType.f32

  @Option(
    help: choiceHelp("Keep values in another type than keys", CacheType.self),
    completion: choices(CacheType.self), transform: choice)
  var cacheValues: CacheType?

  @Option(
    help: ArgumentHelp(
      "Stop after this time, such as 90s, 30m or 2h, with what was measured.", valueName: "time"))
  var timeBudget: Period?

  @Option(
    help: ArgumentHelp(
      "Measure one part of the grid, such as 2/8; a part is not judged.", valueName: "part"))
  var shard: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Write the result as JSON. An older result is replaced, anything else is refused.",
      valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(
    help: "Print how long it takes, here and with more threads, and its memory; measure nothing.")
  var estimate = false

  @OptionGroup(title: "Reports") var rendering: RenderingOptions

  @OptionGroup(title: "Work") var work: WorkOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if output == "" { throw ValidationError("-o needs a name") }
    let paths = rendering.paths + [output].compactMap(\.self)
    if Set(paths.map(FileSystem.canonical)).count < paths.count {
      throw ValidationError("two outputs have the same name")
    }
    if gateArguments.noGates, !gateArguments.require.isEmpty {
      throw ValidationError("--no-gates and --require exclude each other")
    }
    _ = try options()
  }

  func run() throws {
    if estimate { return try printEstimate() }
    try rendering.requireReplaceable()
    let job = try VerifyJob(options(), session: common.open(model), environment: .process)
    guard job.isFirst else {
      Interruption.letCommandEnd()
      _ = try job.run()
      return
    }
    // Made before the work, so that hours of it cannot end in a path that cannot be written to.
    var file: ResultFile? = nil
    if let output { file = try ResultFile(output, schema: ResultDocument.schema) }
    var provenance = try provenance(job.session)
    let began = Date.now.ISO8601Format()
    for line in job.remarks + Self.notes(job.unfollowed) { common.note(line) }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress)
    Interruption.letCommandEnd()
    let outcome = try job.run { progress.show($0.share, $0.label) }
    progress.end()
    var document = outcome.document
    for index in provenance.runs.indices {
      provenance.runs[index].began = began
      provenance.runs[index].seconds = (outcome.seconds * 10).rounded() / 10
    }
    document.provenance = provenance
    show(document)
    if let file = file.take() {
      if outcome.stop != nil, file.holdsCompleteResult, let output {
        // Hours of work are not replaced by less.
        let other = output + ".incomplete"
        try ResultFile(other, schema: ResultDocument.schema).write(document.json)
        common.note("\(output) keeps its complete result; this one is in \(other)")
      } else {
        try file.write(document.json)
      }
    }
    try rendering.write(document)
    Annotations.write(outcome.verdicts, model: model)
    try end(outcome)
  }

  private func printEstimate() throws {
    Interruption.letCommandEnd()
    do {
      let estimate = try VerifyJob.estimate(
        options(), in: common.open(model), environment: .process)
      let report = EstimateReport(estimate)
      if common.json { Output.json(report.json(model)) } else { Output.result(report.text) }
    } catch EarlyStop.interrupted {
      throw Interrupted()
    }
  }

  // MARK: Options

  /// - Throws: `ValidationError` for an option that cannot be read, or that contradicts another.
  private func options() throws -> VerifyOptions {
    var options = VerifyOptions(model: model)
    options.runtimes = try runtimes()
    options.factors = factors
    options.baseline = baseline.map { path -> VerifyOptions.Baseline in
      path.isEmpty ? .beforePatch : .model(path)
    }
    if let against {
      if baseline != nil { throw ValidationError("--against and --baseline exclude each other") }
      options.baseline = .everywhere(against)
    }
    options.selfExtend = selfExtend
    options.usesDynamicNTK = dynamicNTK
    options.prefill = prefillChunk?.value ?? .own
    options.bos = measurement.bos
    options.precision = precision
    options.cache = CacheTypes(keys: cache, values: cacheValues ?? cache)
    options.tasks = try listed(measurement.task).flatMap(Self.tasks)
    options.lengths = try measurement.lengths.map(lengths)
    options.depths = measurement.depths
    options.samples = measurement.samples
    options.passkeyPrompt = measurement.passkeyPrompt
    options.texts = listedFiles(measurement.perplexity)
    options.benchmarks = try BenchmarkArguments(
      measurement.data, shots: measurement.fewShot, examples: measurement.fewShotData,
      options.tasks
    ).sources
    options.method = measurement.method
    options.stride = measurement.stride
    options.windows = measurement.windows
    options.shard = try shard.map(Self.shard)
    options.seed = measurement.seed
    options.gates = try gates()
    options.timeBudget = timeBudget?.duration
    options.threads = work.threadCount
    do { try options.validate() } catch { throw ValidationError(error.message) }
    return options
  }

  /// None for all runtimes.
  private func runtimes() throws -> [RuntimeChoice] {
    let names = listed(runtime)
    let choices = try names.filter { $0 != "all" }.map { name in
      guard let choice = RuntimeChoice(name: name) else {
        throw unknown(name, of: "--runtime", ["all"] + RuntimeChoice.names)
      }
      return choice
    }
    return names.contains("all") ? [] : choices
  }

  private func gates() throws -> [Gate]? {
    if gateArguments.noGates { return [] }
    let texts = gateArguments.require
    return texts.isEmpty ? nil : try listed(texts).map(gate)
  }

  private static func tasks(_ name: String) throws -> [TaskGrid.Task] {
    guard let tasks = TaskGrid.Task.named(name) else {
      throw unknown(name, of: "--task", TaskGrid.Task.names + TaskGrid.Task.groups)
    }
    return tasks
  }

  private static func shard(_ text: String) throws -> TaskGrid.Shard {
    guard let shard = TaskGrid.Shard(text) else {
      throw ValidationError("'\(text)' is not a part; expected I/N with I from 1 to N")
    }
    return shard
  }

  // MARK: Results

  /// The hashes of all files, if the result is saved or shows them.
  private func provenance(
    _ session: borrowing ModelSession
  ) throws -> ResultDocument.Provenance {
    guard output != nil || rendering.html != nil || common.json else { return .init() }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress)
    defer { progress.end() }
    let questions = try options().benchmarks.values.flatMap(\.paths).sorted()
    return try ResultDocument.Provenance(
      of: session,
      inputs: listedFiles(measurement.perplexity) + questions + [factors].compactMap(\.self),
      run: .init(arguments: CommandLine.arguments)
    ) { progress.show($0, "SHA-256 of the model's files") }
  }

  /// One line for each reason.
  private static func notes(_ unfollowed: [UnfollowedRuntime]) -> [String] {
    Dictionary(grouping: unfollowed, by: \.reason).sorted { $0.key < $1.key }.map { reason, all in
      "not followed: \(all.map(\.runtime).joined(separator: ", ")): \(reason)"
    }
  }

  private func show(_ document: ResultDocument) {
    if common.json { return Output.json(document.json) }
    let text = ResultText(document, style: .terminal).text
    if !text.isEmpty { Output.result(text) }
  }

  private func end(_ outcome: VerifyOutcome) throws {
    switch outcome.stop {
    case .interrupted?:
      Output.note("note: interrupted; the result has what was measured")
      throw Interrupted()
    case .timeBudget?, .evaluations?:
      Output.note(
        "note: the time budget is used up; the result has what was measured, and the rest counts as missing"
      )
    case nil: break
    }
    if !outcome.passes { throw CheckFailed() }
  }
}
