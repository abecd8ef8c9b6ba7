import ArgumentParser
import Formats
import Foundation
import Models
import Numerics
import Patch
import Release
import Verify

struct LadderCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "ladder",
    abstract: """
      Shows which of several models, such as quantisations, and types of the cache break a long context.
      """,
    discussion: """
      Each model with each type of the cache is a rung. All are measured alike, and compared with the first model \
      with the first type of the cache: perplexity, divergence, flips of the likeliest token, passkeys, \
      and a task that needs more than finding. A rung fails at the first length at which it misses a limit. The \
      exit code does not depend on that; verify is the gate.
      """
        + examples(
          (
            "quantisations of weights and of the cache, from 4k to 32k",
            "ladder F16.gguf Q8_0.gguf Q4_K.gguf --cache f16,q8_0,q4_0 --lengths 4k,8k,16k,32k -o ladder.json"
          ),
          (
            "go on after an interruption, and make a page",
            "ladder F16.gguf Q8_0.gguf Q4_K.gguf --cache f16,q8_0,q4_0 --lengths 4k,8k,16k,32k -o ladder.json --resume --html ladder.html"
          )))

  @Argument(
    help: "Models of one vocabulary: GGUF files or folders; the first is the one to compare with.",
    completion: modelCompletion, transform: hubModel)
  var model: [String]

  @Option(
    help: ArgumentHelp(
      """
      Types in which keys and values are kept, separated by commas: \(CacheType.alternatives), or two \
      of them as in q8_0/q4_0 for keys and values. The first is that of the model to compare with, and \
      is not quantised. (default: f16)
      """,
      valueName: "types"), completion: .list(CacheType.allCases.map(\.rawValue)))
  var cache: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      The runtime to follow: \(RuntimeChoice.names.joined(separator: ", ")). Default: llama.cpp for \
      GGUF files, vllm for folders.
      """,
      valueName: "runtime"), completion: .list(RuntimeChoice.names))
  var runtime: String?

  @OptionGroup(title: "Measurements") var measurement: LadderMeasurementArguments

  @OptionGroup(title: "Limits") var limits: LadderLimitArguments

  @Option(help: precisionHelp, completion: choices(Precision.self), transform: choice)
  var precision = Precision.exact

  @Option(
    help: ArgumentHelp(
      "Stop after this time, such as 90s, 30m or 2h, with the rungs that are done.",
      valueName: "time"))
  var timeBudget: Period?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Save the ladder as JSON after every rung. It must not hold a ladder, unless it is resumed.",
      valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Keep the rungs that the file of -o has, and measure only the others.")
  var resume = false

  @OptionGroup(title: "Reports") var rendering: LadderRenderingArguments

  @OptionGroup(title: "Work") var work: WorkOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if model.isEmpty { throw ValidationError("a model is missing") }
    if output == "" || rendering.paths.contains("") {
      throw ValidationError("an output needs a file name")
    }
    if resume, output == nil { throw ValidationError("--resume needs -o") }
    let paths = rendering.paths + [output].compactMap(\.self)
    if Set(paths.map(FileSystem.canonical)).count < paths.count {
      throw ValidationError("two outputs have the same name")
    }
    _ = try options()
  }

  func run() throws {
    try Ranks.requireAlone("ladder")
    try rendering.requireReplaceable()
    let options = try options()
    let saved = try savedLadder()
    for path in model { _ = try common.open(path) }
    let job = try LadderJob(options, environment: .process)
    var ladder = job.document
    let files = try provenances()
    if let saved { try ladder.keep(rungsOf: saved, files, from: output ?? "") }
    for line in job.remarks + [job.announcement(of: ladder.missing.count)].compactMap(\.self) {
      common.note(line)
    }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress)
    Interruption.letCommandEnd()
    let stop = try job.run(
      skipping: Set(ladder.rungs.map(\.rung)), progress: { progress.show($0.share, $0.label) }
    ) { rung, outcome in
      var document = outcome.document
      document.provenance = files[rung.model] ?? .init()
      try ladder.add(document, from: "ladder")
      if let output { try Self.save(ladder, to: output) }
    }
    progress.end()
    try show(ladder)
    try end(stop)
  }

  // MARK: Options

  private func options() throws -> LadderOptions {
    var options = LadderOptions(models: model)
    if !cache.isEmpty {
      options.caches = try listed(cache).map { name in
        guard let types = CacheTypes(name) else {
          throw unknown(name, of: "--cache", CacheType.allCases.map(\.rawValue))
        }
        return types
      }
    }
    options.runtime = try runtime.map { name in
      guard let choice = RuntimeChoice(name: name) else {
        throw unknown(name, of: "--runtime", RuntimeChoice.names)
      }
      return choice
    }
    options.lengths = try measurement.lengths.map(lengths)
    options.tasks = try measurement.tasks() ?? options.tasks
    options.depths = measurement.depths
    options.samples = measurement.samples
    options.prompts = measurement.prompts
    options.texts = listedFiles(measurement.perplexity)
    options.windows = measurement.windows
    options.seed = measurement.seed
    options.precision = precision
    if !limits.require.isEmpty { options.gates = try listed(limits.require).map(gate) }
    options.keep = limits.keep?.value ?? options.keep
    options.timeBudget = timeBudget?.duration
    options.threads = work.threadCount
    do { try options.validate() } catch { throw ValidationError(error.message) }
    return options
  }

  // MARK: The saved ladder

  /// The ladder of -o, if it is resumed.
  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything else, or a ladder that is not
  ///   resumed.
  private func savedLadder() throws -> LadderDocument? {
    guard let output else { return nil }
    // Made and removed again, so that hours of work cannot end in a path that cannot be written to.
    _ = try OutputFile(path: output)
    guard FileSystem.exists(output), try FileStatus(of: output, followingLinks: true).size > 0
    else { return nil }
    guard resume else {
      throw ModelError.unsafe(
        output, "already exists; continue a ladder with --resume, or name a new path")
    }
    return try LadderDocument(path: output)
  }

  private static func save(_ ladder: LadderDocument, to path: String) throws {
    try OutputFile.replace(path, by: JSONStyle.standard.encode(ladder.json) + [0x0A])
  }

  /// The hashes of each model's files, if the ladder is saved or shows them.
  private func provenances() throws -> [String: ResultDocument.Provenance] {
    guard output != nil || rendering.html != nil || common.json else { return [:] }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress)
    defer { progress.end() }
    let texts = listedFiles(measurement.perplexity)
    let all = try model.enumerated().map { index, path in
      let session = try common.open(path)
      let provenance = try ResultDocument.Provenance(
        of: session, inputs: texts, run: .init(arguments: CommandLine.arguments)
      ) { share in
        progress.show(
          (Double(index) + share) / Double(model.count), "SHA-256 of the models' files")
      }
      return (path, provenance)
    }
    return Dictionary(all) { first, _ in first }
  }

  // MARK: Results

  private func show(_ ladder: LadderDocument) throws {
    try rendering.write(ladder)
    if common.json { return Output.json(ladder.json) }
    Output.result(LadderText(ladder, style: .terminal).text)
  }

  private func end(_ stop: EarlyStop?) throws {
    let rest = output == nil ? "" : "; --resume measures the others"
    switch stop {
    case .interrupted?:
      Output.note("note: interrupted; the ladder has the rungs that were done\(rest)")
      throw Interrupted()
    case .timeBudget?, .evaluations?:
      Output.note(
        "note: the time budget is used up; the ladder has the rungs that were done\(rest)")
    case nil: break
    }
  }
}
