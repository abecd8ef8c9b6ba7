import ArgumentParser
import Inference
import Verify

// The options of `verify` in groups.

/// What `verify` measures.
struct MeasurementArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What is measured: \((TaskGrid.Task.names + TaskGrid.Task.groups).joined(separator: ", ")); may be repeated \
      or separated by commas. Default: passkey, and perplexity of given texts. Retention \
      is measured whenever there is a baseline.
      """,
      valueName: "task"), completion: .list(TaskGrid.Task.names + TaskGrid.Task.groups))
  var task: [String] = []

  @Option(
    help: ArgumentHelp(
      "Lengths in tokens, separated by commas; default L0/2, L0, then doubling to the window.",
      valueName: "lengths"))
  var lengths: String?

  @Option(help: "Depths at which passkeys, needles and passages with answers stand.")
  var depths = 11

  @Option(
    help: """
      Prompts for each length and depth; default: 3 for lengths of up to \(TaskGrid.smallLength) \
      tokens, else 1. Of a benchmark, the number of first questions; default: all.
      """)
  var samples: Int?

  @Option(
    help: choiceHelp("Whose passkey prompt", Passkey.Style.self, default: .longrope),
    completion: choices(Passkey.Style.self), transform: choice)
  var passkeyPrompt = Passkey.Style.longrope

  @Option(
    help: ArgumentHelp(
      """
      A text whose perplexity is measured and in which needles are hidden; may be repeated. \
      Default: a book that ships with the program.
      """,
      valueName: "file"), completion: .file())
  var perplexity: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      The questions of a benchmark, in JSON lines, such as mmlu=test.jsonl, or of rag, qa_1 or qa_2; \
      may be repeated. The name can be left out if there is one such task.
      """,
      valueName: "task=file"), completion: .file())
  var data: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Examples before each question of a benchmark or of rag, such as mmlu=5 or 5; may be repeated. \
      Default: lm-eval's, which is 5 for gsm8k, else 0; for rag HELMET's 2.
      """,
      valueName: "task=count"))
  var fewShot: [String] = []

  @Option(
    help: ArgumentHelp(
      "The file of these examples, such as mmlu=dev.jsonl; may be repeated.",
      valueName: "task=file"), completion: .file())
  var fewShotData: [String] = []

  @Option(
    help: choiceHelp("How perplexity is measured", Perplexity.Method.self, default: .truncate),
    completion: choices(Perplexity.Method.self), transform: choice)
  var method = Perplexity.Method.truncate

  @Option(help: "Tokens by which a window moves, for sliding and hf-stride.")
  var stride = 256

  @Option(
    help: ArgumentHelp(
      """
      The most windows of each text; default: as many as score \(Perplexity.tokenBudget) tokens at \
      each length.
      """,
      valueName: "count"))
  var windows: Int?

  @Option(
    help:
      """
      Whether sequences begin with the beginning token: auto, as the model wants it; force; none. \
      (default: auto)
      """,
    completion: choices(Tokenizer.Beginning.self), transform: choice)
  var bos = Tokenizer.Beginning.auto

  @Option(help: "The seed of the prompts.")
  var seed: UInt64 = 0
}

/// Which gates `verify` judges.
struct GateArguments: ParsableArguments {
  @Option(help: requireHelp)
  var require: [String] = []

  @Flag(help: "Only measure.")
  var noGates = false
}

/// The size of a prompt's chunks: `512`, `2k`, or `none`.
struct PrefillArgument: ExpressibleByArgument {
  let value: Prefill

  init?(argument: String) {
    if argument == "none" {
      value = .whole
    } else {
      guard let count = TokenCount(argument: argument) else { return nil }
      value = .chunks(count.value)
    }
  }
}

/// Reads Self-Extend's group and window: `8,1024`, `8,1k`.
func selfExtendSizes(_ text: String) throws -> SelfExtend {
  guard let sizes = TokenCount.list(text), sizes.count == 2,
    let value = SelfExtend(group: sizes[0], window: sizes[1])
  else {
    throw ValidationError(
      "'\(text)' is not GROUP,WINDOW such as 8,1k, with a window that is a multiple of the group")
  }
  return value
}

/// A length of time: `90s`, `30m`, `2h`, or seconds.
struct Period: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    let unit = argument.last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number > 0,
      number < 1e7
    else { return nil }
    duration = .seconds(number * (unit ?? 1))
  }
}
