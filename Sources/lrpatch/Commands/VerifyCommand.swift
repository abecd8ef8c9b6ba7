import ArgumentParser
import Formats
import Foundation
import Patch
import Verify

struct VerifyCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Runs a model on the CPU as each runtime would: passkeys and perplexity, with gates.",
    discussion: "Exit 1 when a gate fails. A metric that was not measured fails its gate.")

  @Argument(help: "The model: a Hugging Face folder, or a .gguf file (any shard of a split one).")
  var model: String

  @Option(help: "A runtime to follow: paper, hf, hf4, vllm, sglang, mlx, llama.cpp or all; may be repeated.")
  var runtime: [String] = ["all"]

  @Option(help: ArgumentHelp("Factors to run the model with; nothing is written.", valueName: "factors"))
  var factors: String?

  @Option(
    help: "What is measured: passkey or perplexity; may be repeated. Default passkey, and perplexity of given texts.")
  var task: [String] = []

  @Option(
    help: ArgumentHelp("Lengths in tokens, separated by commas; default L0/2, L0, then doubling.", valueName: "lengths")
  )
  var lengths: String?

  @Option(help: "Depths at which passkeys are hidden.")
  var depths = 11

  @Option(help: "Passkeys a length and depth.")
  var samples = 1

  @Option(help: ArgumentHelp("A text whose perplexity is measured; may be repeated.", valueName: "file"))
  var perplexity: [String] = []

  @Option(help: "How perplexity is measured: truncate or llama.cpp.", transform: Self.method)
  var method = Perplexity.Method.truncate

  @Option(help: ArgumentHelp("Windows of each text at most.", valueName: "count"))
  var windows = 4

  @Option(
    help: ArgumentHelp("A gate, such as passkey>=0.95 or perplexity@1024@vllm<=40; may be repeated.", valueName: "gate")
  )
  var require: [String] = []

  @Flag(help: "Only measure.")
  var noGates = false

  @Option(help: "Threads; default all.")
  var threads: Int?

  @Option(help: "The seed of the passkeys.")
  var seed: UInt64 = 0

  @OptionGroup var common: CommonOptions

  private static let runtimeNames = ["paper"] + Runtime.allCases.map(\.rawValue)

  private static func method(_ name: String) throws -> Perplexity.Method {
    guard let method = Perplexity.Method(rawValue: name) else {
      throw ValidationError("there is no method '\(name)'; there are truncate and llama.cpp")
    }
    return method
  }

  func validate() throws {
    for name in runtime where name != "all" && !Self.runtimeNames.contains(name) {
      throw ValidationError(
        "there is no runtime '\(name)'; there are all, \(Self.runtimeNames.joined(separator: ", "))")
    }
    for gate in require where Gate(gate, runtimes: Self.runtimeNames) == nil {
      throw ValidationError(
        "'\(gate)' is no gate; expected METRIC[@LENGTH|@short|@long][@RUNTIME]>=NUMBER with passkey or perplexity")
    }
    for name in task where !["passkey", "perplexity"].contains(name) {
      throw ValidationError("there is no task '\(name)'; there are passkey and perplexity")
    }
    if task.contains("perplexity"), perplexity.isEmpty {
      throw ValidationError("the task perplexity needs a text: --perplexity FILE")
    }
    if let lengths, TokenCount.list(lengths) == nil { throw ValidationError("'\(lengths)' is no list of lengths") }
    guard (1...1000) ~= depths, (1...1000) ~= samples, windows > 0, threads ?? 1 > 0 else {
      throw ValidationError("--depths, --samples, --windows and --threads are at least 1")
    }
  }

  func run() throws {
    let session = try common.open(model)
    let inspection =
      try factors.map { try Inspection(session, overlaying: FactorSource(path: $0).set) } ?? Inspection(session)
    let followers = try self.followers(inspection)
    let forward = ForwardPass(
      try Transformer(path: model), threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let tokenizer = try Tokenizer(path: model)
    guard tokenizer.vocabulary <= forward.model.vocabulary else {
      throw VerifyError(
        model, "the tokenizer has \(tokenizer.vocabulary) tokens and the model \(forward.model.vocabulary)")
    }
    var measured = Measurements(originalWindow: inspection.geometry.originalWindow)
    try measurePasskeys(forward, followers, tokenizer, inspection, &measured)
    try measurePerplexity(forward, followers, tokenizer, inspection, &measured)
    let verdicts = gates.map(measured.judge)
    if common.json {
      Output.json(VerifyReport.json(model, measured, verdicts, method: method))
    } else {
      Output.result(VerifyReport.text(measured, verdicts, method: method))
    }
    if verdicts.contains(where: { !$0.passes }) { throw CheckFailed() }
  }

  private var gates: [Gate] {
    if noGates { return [] }
    let texts = require.isEmpty ? ["passkey>=0.9"] : require
    return texts.compactMap { Gate($0, runtimes: Self.runtimeNames) }
  }

  /// The runtimes that run this model at all; one that is named must.
  private func followers(_ inspection: Inspection) throws -> [Follower] {
    if !runtime.contains("all") {
      return try inspection.readings.filter { runtime.contains($0.name) }.map(Follower.init)
    }
    return inspection.readings.compactMap { try? Follower($0) }
  }

  private func testedLengths(_ inspection: Inspection) -> [Int] {
    if let lengths { return TokenCount.list(lengths) ?? [] }
    let original = inspection.geometry.originalWindow
    var result = [original / 2, original]
    while let last = result.last, last * 2 <= inspection.geometry.window { result.append(last * 2) }
    return result
  }

  private func measurePasskeys(
    _ forward: ForwardPass, _ followers: [Follower], _ tokenizer: Tokenizer, _ inspection: Inspection,
    _ measured: inout Measurements
  ) throws {
    guard task.isEmpty || task.contains("passkey") else { return }
    let passkey = Passkey(tokenizer)
    let scoring = Scoring(forward, followers)
    for length in testedLengths(inspection) {
      common.note("passkeys at \(length) tokens")
      let cells = (0..<depths).flatMap { number in
        (0..<samples).map {
          Passkey.Cell(length: length, depth: depths == 1 ? 0.5 : Double(number) / Double(depths - 1), sample: $0)
        }
      }
      try passkey.run(cells.reversed(), scoring, seed: seed) { measured.passkeys.append($0) }
    }
  }

  private func measurePerplexity(
    _ forward: ForwardPass, _ followers: [Follower], _ tokenizer: Tokenizer, _ inspection: Inspection,
    _ measured: inout Measurements
  ) throws {
    guard !perplexity.isEmpty, task.isEmpty || task.contains("perplexity") else { return }
    let texts = try perplexity.map { path in
      tokenizer.encode(String(decoding: try FileSystem.contents(of: path), as: UTF8.self))
    }
    let lengths = testedLengths(inspection)
    let measures = try lengths.map {
      try Perplexity(
        Array(texts.joined()), length: $0, longest: lengths.max() ?? 0, method: method, beginning: tokenizer.beginning,
        maximumWindows: windows)
    }
    try Perplexity.run(measures, Scoring(forward, followers)) { measured.perplexities.append($0) }
  }
}
