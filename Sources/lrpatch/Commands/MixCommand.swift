import ArgumentParser
import Formats
import Foundation
import Patch
import Search
import Verify

struct MixCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "mix", abstract: "Writes training data and a recipe for LongRoPE2's mixed windows.",
    discussion: """
      A text is one document, or, where its name ends in .jsonl, one a line in the member "text". The recipe, train.py, \
      trains a patched model with transformers' Trainer.
      """)

  @Argument(help: "The texts.")
  var text: [String]

  @Option(help: "The model whose tokenizer and windows count: a patched folder, or a .gguf file.", transform: hubModel)
  var model: String

  @Option(name: [.short, .long], help: "The folder to write; it must not exist.")
  var output: String

  @Option(help: ArgumentHelp("The extended window; default what the model says.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(help: ArgumentHelp("The original window; default what the model says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(help: "The share of the tokens in short segments, from 0 to 1.")
  var shortShare = 0.3

  @Option(help: ArgumentHelp("Tokens at most: 500M, 10G.", valueName: "count"))
  var tokens: ByteCount?

  @Option(help: "The seed of the order.")
  var seed: UInt64 = 0

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if text.isEmpty { throw ValidationError("a text is missing") }
    if !(0...1).contains(shortShare) { throw ValidationError("--short-share takes a number from 0 to 1") }
  }

  func run() throws {
    let output = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    guard !FileSystem.exists(output) else { throw PatchError.unsafe(output, "exists already; name a new path") }
    let session = try common.open(model)
    let geometry = try Inspection(session, anyFamily: true).geometry
    let tokenizer = try Tokenizer(path: model)
    var settings = Mixture.Settings(
      originalWindow: originalLength?.value ?? geometry.originalWindow,
      window: targetLength?.value ?? geometry.window)
    guard settings.window > settings.originalWindow else {
      throw PatchError.unsupported(
        model, "the window of \(settings.window) tokens does not exceed the original one of \(settings.originalWindow)")
    }
    settings.shortShare = shortShare
    settings.maximumTokens = tokens?.value
    settings.seed = seed
    (settings.beginning, settings.end) = (tokenizer.beginning, tokenizer.endings.min())
    let texts = try text.map { try MixText($0, tokenizer) }
    let mixture = try Mixture(texts.flatMap(\.documents), settings)
    let folder = MixFolder(mixture, settings, texts, tokenizer)
    try folder.write(to: output)
    if common.json { return Output.json(folder.description) }
    if !common.quiet {
      Output.result(
        "\(output): \(folder.rows(long: true)) long and \(folder.rows(long: false)) short rows of \(settings.window) tokens\nnext: python \(output)/train.py \(model) OUT"
      )
    }
  }
}

/// A text file as documents of tokens.
struct MixText {
  let name: String
  let sha256: String
  let documents: [[Int]]

  init(_ path: String, _ tokenizer: Tokenizer) throws {
    let bytes = try FileSystem.contents(of: path)
    name = FileSystem.name(of: path)
    sha256 = Formats.sha256(bytes)
    var texts: [String] = []
    if path.hasSuffix(".jsonl") {
      for (index, line) in bytes.split(separator: 0x0A).enumerated() {
        guard let text = (try? JSONDocument(parsing: Array(line)))?.value["text"]?.text else {
          throw PatchError.unsupported(path, "line \(index + 1) has no member 'text' with a text")
        }
        texts.append(text)
      }
    } else {
      texts = [String(decoding: bytes, as: UTF8.self)]
    }
    documents = texts.map { tokenizer.encode($0) }.filter { !$0.isEmpty }
    guard !documents.isEmpty else {
      throw PatchError.unsupported(path, "holds no text")
    }
  }
}

/// The folder that `mix` writes: rows in safetensors files, their description, and the recipe.
struct MixFolder {
  private let mixture: Mixture
  private let settings: Mixture.Settings
  private let texts: [MixText]
  private let tokenizer: Tokenizer
  private let files: [(name: String, bytes: [UInt8], rows: Int)]

  /// Rows of one file: about a gibibyte.
  private static func rowsAFile(_ window: Int) -> Int { max(1, (1 << 30) / (8 * window)) }

  init(_ mixture: Mixture, _ settings: Mixture.Settings, _ texts: [MixText], _ tokenizer: Tokenizer) {
    self.mixture = mixture
    self.settings = settings
    self.texts = texts
    self.tokenizer = tokenizer
    let size = Self.rowsAFile(settings.window)
    files = stride(from: 0, to: mixture.rows.count, by: size).enumerated().map { number, start in
      let rows = Array(mixture.rows[start..<min(start + size, mixture.rows.count)])
      return (String(format: "mix-%05d.safetensors", number), Self.encoded(rows, settings.window), rows.count)
    }
  }

  private static func encoded(_ rows: [Mixture.Row], _ window: Int) -> [UInt8] {
    func tensor(_ name: String, _ type: String, _ shape: [Int], _ bytes: Int) -> SafetensorsTensor {
      SafetensorsTensor(name: name, dtype: SafetensorsDType(type), shape: shape, range: 0..<bytes)
    }
    let count = rows.count * window * 4
    guard
      let writer = try? SafetensorsWriter(
        metadata: nil,
        tensors: [
          tensor("input_ids", "I32", [rows.count, window], count),
          tensor("position_ids", "I32", [rows.count, window], count),
          tensor("kind", "U8", [rows.count], rows.count),
        ])
    else { preconditionFailure("three tensors make a header") }
    var bytes = writer.header
    for tensor in writer.tensors {
      switch tensor.name {
      case "input_ids": for row in rows { row.tokens.forEach { append($0, to: &bytes) } }
      case "position_ids": for row in rows { row.positions.forEach { append($0, to: &bytes) } }
      default: bytes += rows.map { $0.isLong ? 1 : 0 }
      }
    }
    return bytes
  }

  private static func append(_ value: Int32, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> Int32(shift))) }
  }

  func rows(long: Bool) -> Int { mixture.rows.count { $0.isLong == long } }

  /// lrpatch.mix/1
  var description: JSONValue {
    func id(_ token: Int?) -> JSONValue { token.map { .number($0) } ?? .null }
    func counts(_ factor: Int) -> JSONValue {
      .object(["short": .number(rows(long: false) * factor), "long": .number(rows(long: true) * factor)])
    }
    return .object([
      "schema": .string("lrpatch.mix/1"), "original_window": .number(settings.originalWindow),
      "window": .number(settings.window), "vocabulary_size": .number(tokenizer.vocabulary),
      "beginning_token": id(settings.beginning), "end_token": id(settings.end),
      "seed": .number(String(settings.seed)),
      "files": .array(
        files.map {
          .object(["name": .string($0.name), "rows": .number($0.rows), "sha256": .string(Formats.sha256($0.bytes))])
        }),
      "rows": counts(1), "tokens": counts(settings.window),
      "texts": .array(
        texts.map {
          .object([
            "name": .string($0.name), "sha256": .string($0.sha256),
            "tokens": .number($0.documents.reduce(0) { $0 + $1.count }),
          ])
        }),
    ])
  }

  func write(to path: String) throws {
    try OutputFolder.create(path) { folder in
      let texts = [
        ("mix.json", JSONStyle.standard.encode(description) + [0x0A]), ("train.py", ShippedText.trainingRecipe),
      ]
      for (name, bytes) in files.map({ ($0.name, $0.bytes) }) + texts {
        let file = try Descriptor(path: "\(folder)/\(name)", .create)
        try file.write(bytes, at: 0)
        try file.sync()
      }
    }
  }
}
