import ArgumentParser
import Formats
import Foundation
import Inference
import Models
import Patch
import Search
import Verify

struct MixCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "mix",
    abstract: "Writes training data and a recipe for LongRoPE2's mixed windows.",
    discussion: """
      A text is one document. In a .jsonl file each line is one, in its member "text". The recipe, \
      train.py, trains a patched model with transformers' Trainer.
      """
        + examples(
          ("books for a patched model", "mix books/*.txt --model model -o data"),
          (
            "ten million tokens, half of them in short segments",
            "mix corpus.jsonl --model model -o data --tokens 10M --short-share 0.5"
          ),
          (
            "rows as long as the original window, for a long one",
            "mix books/*.txt --model model -o data --positions pose"
          )))

  @Argument(help: "The texts.", completion: .file())
  var text: [String]

  @Option(
    help: "The model whose tokenizer and windows count: a patched folder, or a .gguf file.",
    completion: .file(), transform: hubModel)
  var model: String

  @Option(
    name: [.short, .long], help: "The folder to write; it must not exist.", completion: .file())
  var output: String

  @Option(
    help: ArgumentHelp("The extended window; default what the model says.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(
    help: ArgumentHelp("The original window; default what the model says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      """
      Positions in long rows: full, all of the extended window; pose or longrecipe, rows as long \
      as the original window that skip positions, once or between sentences.
      """, valueName: "positions"), completion: choices(MixPositions.self), transform: choice)
  var positions = MixPositions.full

  @Option(help: "The share of the tokens in short segments, from 0 to 1.")
  var shortShare = 0.3

  @Option(help: ArgumentHelp("The most tokens: 500M, 10G.", valueName: "count"))
  var tokens: ByteCount?

  @Option(help: "The seed of the order.")
  var seed: UInt64 = 0

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if text.isEmpty { throw ValidationError("a text is missing") }
    if !(0...1).contains(shortShare) {
      throw ValidationError("--short-share takes a number from 0 to 1")
    }
  }

  func run() throws {
    let output = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    guard !FileSystem.exists(output) else {
      throw ModelError.unsafe(output, "already exists; name a new path")
    }
    let session = try common.open(model)
    let geometry = try Inspection(session).geometry
    let tokenizer = try Tokenizer(path: model)
    var settings = Mixture.Settings(
      originalWindow: originalLength?.value ?? geometry.originalWindow,
      window: targetLength?.value ?? geometry.window)
    guard settings.window > settings.originalWindow else {
      throw ModelError.unsupported(
        model,
        "the window of \(settings.window) tokens does not exceed the original one of \(settings.originalWindow)"
      )
    }
    settings.shortShare = shortShare
    settings.positions = positions
    if positions == .longrecipe { settings.sentenceEnds = tokenizer.sentenceEnds }
    settings.maximumTokens = tokens?.value
    settings.seed = seed
    (settings.beginning, settings.end) = (tokenizer.beginning, tokenizer.endings.min())
    let texts = try text.map { try MixText($0, tokenizer) }
    texts.compactMap(\.remark).forEach(common.note)
    let mixture = try Mixture(texts.flatMap(\.documents), settings)
    let folder = MixFolder(mixture, settings, texts, tokenizer)
    let description = try folder.write(to: output)
    if common.json { return Output.json(description) }
    if !common.quiet {
      Output.result(
        "\(output): \(folder.rows(long: true)) long and \(folder.rows(long: false)) short rows of \(settings.rowTokens) tokens\nnext: python \(output)/train.py \(model) OUT"
      )
    }
  }
}
