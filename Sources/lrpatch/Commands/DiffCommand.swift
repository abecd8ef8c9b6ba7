import ArgumentParser
import Convert
import Formats
import Models
import Patch

struct DiffCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Shows the configs, keys and tensors in which two models differ.",
    discussion: """
      Two factors files can be compared too, and a folder with a GGUF file: then what a conversion of \
      the folder would write is compared with the file. Exit 1 if anything differs.
      """
        + examples(
          ("two models", "diff model patched"),
          ("a folder and what was made of it", "diff model model.gguf --skip-data")))

  @Argument(help: "A model, or a factors file.", completion: .file(), transform: hubModel)
  var first: String

  @Argument(help: "Another one.", completion: .file(), transform: hubModel)
  var second: String

  @Flag(help: "Compare types and shapes of tensors, but not their data.")
  var skipData = false

  @OptionGroup(title: "Common") var common: CommonOptions

  func run() throws {
    let entries = try entries()
    if common.json {
      Output.json(
        .object([
          "schema": DocumentSchema.diff.json, "first": .string(first), "second": .string(second),
          "differences": .array(entries.map(json)),
        ]))
    } else if !common.quiet {
      for entry in entries { Output.result(text(entry)) }
      if entries.isEmpty { Output.result(agreement) }
    }
    guard entries.isEmpty else { throw CheckFailed() }
  }

  private func entries() throws -> [ModelDifference.Entry] {
    if let left = try Self.factors(first), let right = try Self.factors(second) {
      return ModelDifference(left, right).entries
    }
    if ForeignFile.isFactors(first) != ForeignFile.isFactors(second) {
      throw ValidationError(
        "diff takes two models or two factors files; `lrpatch apply --dry-run` shows what factors would change in a model"
      )
    }
    let left = try common.open(first)
    let right = try common.open(second)
    switch (left.format, right.format) {
    case (.folder, .gguf):
      return try ConversionDifference.entries(folder: left, file: right, comparingData: !skipData)
    case (.gguf, .folder):
      return try ConversionDifference.entries(folder: right, file: left, comparingData: !skipData)
        .map(\.swapped)
    default: return try ModelDifference(left, right, comparingData: !skipData).entries
    }
  }

  /// The factors in a file, or nil for anything but a factors file.
  private static func factors(_ path: String) throws -> FactorSet? {
    guard ForeignFile.isFactors(path) else { return nil }
    return try FactorSource(path: path).set
  }

  /// What equality means for the two.
  private var agreement: String {
    FileSystem.isFolder(first) == FileSystem.isFolder(second)
      ? "no difference" : "no difference: the file is the folder, converted to the file's types"
  }

  private func text(_ entry: ModelDifference.Entry) -> String {
    // A config's name begins with that of its file.
    let name =
      entry.kind == .config
      ? entry.name.sanitized : "\(entry.kind.rawValue) \(entry.name.sanitized)"
    var lines: [String] = []
    if let left = entry.left { lines.append("-\(name): \(left)") }
    if let right = entry.right { lines.append("+\(name): \(right)") }
    return lines.joined(separator: "\n")
  }

  private func json(_ entry: ModelDifference.Entry) -> JSONValue {
    .object([
      "kind": .string(entry.kind.rawValue), "name": .string(entry.name),
      "first": entry.left.map { .string($0) } ?? .null,
      "second": entry.right.map { .string($0) } ?? .null,
    ])
  }
}
