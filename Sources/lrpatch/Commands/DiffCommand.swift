import ArgumentParser
import Formats
import Patch

struct DiffCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Shows the configs, keys and tensors in which two models differ.",
    discussion: "Exit 1 if anything differs.")

  @Argument(help: "A model.", completion: .file(), transform: hubModel)
  var first: String

  @Argument(help: "Another model of the same format.", completion: .file(), transform: hubModel)
  var second: String

  @Flag(help: "Compare types and shapes of tensors, but not their data.")
  var skipData = false

  @OptionGroup var common: CommonOptions

  func run() throws {
    let difference = try ModelDifference(
      common.open(first), common.open(second), comparingData: !skipData)
    if common.json {
      Output.json(
        .object([
          "schema": .string("lrpatch.diff/1"), "first": .string(first), "second": .string(second),
          "differences": .array(difference.entries.map(json)),
        ]))
    } else if !common.quiet {
      for entry in difference.entries { Output.result(text(entry)) }
      if difference.entries.isEmpty { Output.result("no difference") }
    }
    guard difference.entries.isEmpty else { throw CheckFailed() }
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
